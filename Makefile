# `make run` and `make test` do everything on a fresh machine.
TRACE = Benchmarks/Traces/train_transformer.tensor.csv.gz

.PHONY: run test build set-up lint format clean

run: build
	swift run -c release --skip-build tensor-pool main-job $(TRACE)

# One suite after the other: the suites of both libraries look at figures of the whole process.
test: set-up
	swift test --no-parallel

build: set-up
	swift build -c release

set-up:
	@Scripts/set-up

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests

clean:
	swift package clean
