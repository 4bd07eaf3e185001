# `make run` and `make test` do everything on a fresh machine.
TRACE = Benchmarks/Traces/train_transformer.tensor.csv.gz

.PHONY: run test check check-long check-all check-sanitizers check-estimates coverage fuzz soak build set-up bench \
	bench-quick bench-micro bench-micro-thresholds lint format clean

run: build
	swift run -c release --skip-build tensor-pool main-job $(TRACE)

test: set-up
	Scripts/test

# What must pass before a change lands. The long form runs every pool in every debugging mode behind every adaptor and does
# so many random operations, compiled with optimization, then repeats the pools' tests, each time with other seeds:
# make check-long OPERATIONS=1000000000 ROUNDS=50
check: test lint

# All that is proved, in its long form, one after the other: for a night.
check-all: check-long check-sanitizers coverage fuzz soak

# Tests compiled with optimization, in a folder of their own.
LONG = swift test -c release -Xswiftc -enable-testing --scratch-path .build-long --no-parallel

OPERATIONS = 100000000
ROUNDS = 20
check-long: check
	TENSOR_POOL_CONFORMANCE=every $(LONG) --filter ConformanceSuite
	TENSOR_POOL_OPERATIONS=$(OPERATIONS) $(LONG) --filter allOperationsMatchTheModel
	for round in $$(seq $(ROUNDS)); do \
		echo "round $$round of $(ROUNDS)"; swift test --skip-build --no-parallel --filter TensorPoolTests || exit 1; \
	done

# Eight threads for so long; fails on a fault or on resident memory that grows. Its figures: .build-long/soak.json
MINUTES = 30
soak: set-up
	TENSOR_POOL_SOAK_MINUTES=$(MINUTES) TENSOR_POOL_SOAK_OUTPUT=$(CURDIR)/.build-long/soak.json \
		$(LONG) --filter eightThreadsStaySteady

# The library of `record` under UndefinedBehaviorSanitizer, then all tests under ThreadSanitizer, then under AddressSanitizer
# with the C code under UndefinedBehaviorSanitizer.
check-sanitizers: set-up
	Scripts/check-sanitizers

# The gains that `tensor-pool analyze` estimates, beside those that replaying whole traces shows; fails where a stable one
# is off by more than 20 %. For a quiet machine. Other traces: make check-estimates TRACES="a.csv.gz b.json.gz"
TRACES = $(wildcard Benchmarks/Traces/*.csv.gz) Tests/AllocationTraceTests/Samples/torch_profiler_threads.json.gz
TURNS = 3
check-estimates: build
	swift run -c release --skip-build tensor-pool check-estimate --turns $(TURNS) $(TRACES)

# Each target for so long: make fuzz TARGET="chrome plan" MINUTES=15. All targets without a name; see Documentation/Testing.md
fuzz: MINUTES = 15
fuzz: set-up
	Scripts/fuzz run $(MINUTES) $(TARGET)

# All tests, with the lines of TensorPool and Jemalloc that ran; fails below 95 %.
coverage: set-up
	Scripts/check-coverage

build: set-up
	swift build -c release

set-up:
	@Scripts/set-up

# Compares the pools with every malloc that is packaged; see Benchmarks/README.md. Options: make bench BENCH="--suite pairs"
bench: set-up
	Benchmarks/Scripts/set-up-peers
	swift build -c release --package-path Benchmarks
	Benchmarks/.build/release/bench $(BENCH)

bench-quick: set-up
	Benchmarks/Scripts/set-up-peers
	swift build -c release --package-path Benchmarks
	Benchmarks/.build/release/bench --quick $(BENCH)

# Single operations, against the thresholds kept in the repository; see Benchmarks/Micro/README.md. Fails where one is
# passed or where a cache hit takes memory of the heap. Options: make bench-micro MICRO="--filter hot-pair.*"
MICRO_SUITES = cd Benchmarks/Micro && swift package -c release --allow-writing-to-package-directory benchmark

bench-micro: set-up
	$(MICRO_SUITES) baseline update latest --no-progress --quiet $(MICRO)
	$(MICRO_SUITES) baseline read latest --grouping metric --no-progress $(MICRO)
	$(MICRO_SUITES) thresholds check latest --no-progress $(MICRO)

# Keeps the figures of the latest run of `make bench-micro` as thresholds.
bench-micro-thresholds: set-up
	$(MICRO_SUITES) thresholds update latest --no-progress

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

clean:
	swift package clean
