# `make run` and `make test` do everything on a fresh machine.
TRACE = Benchmarks/Traces/train_transformer.tensor.csv.gz

.PHONY: run test build set-up bench bench-quick lint format clean

run: build
	swift run -c release --skip-build tensor-pool main-job $(TRACE)

# One suite after the other: the suites of both libraries look at figures of the whole process.
test: set-up
	swift test --no-parallel

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

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

clean:
	swift package clean
