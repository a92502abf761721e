# Run `make` to see what there is.
.DEFAULT_GOAL := help
.PHONY: help install run test lint format lock bench
BIN := .venv/bin

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: ## set up everything running needs: system packages, libraries, the sandbox's libraries
	@scripts/setup runtime
	@if command -v bwrap >/dev/null; then $(BIN)/deepresearch sandbox build --backend bubblewrap; fi

run: install ## ask the example corpus a question and write a report into reports/example
	$(BIN)/deepresearch query "How did the CO2 emissions of Tervane Sound Ferries change between 2014 and 2024, and why did fuel consumption fall in 2024?" \
	    --sources examples/corpus --out reports/example

test: ## set up everything tests need and run them all
	@scripts/setup dev
	@if command -v bwrap >/dev/null; then $(BIN)/deepresearch sandbox build --backend bubblewrap; fi
	$(BIN)/python -m pytest

lint: ## check types, style and format
	@scripts/setup dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## renew the locked requirements from pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra docker --extra qdrant -o requirements/runtime.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra docker --extra qdrant --extra dev -o requirements/dev.lock
	echo uv | $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header - -o requirements/uv.lock

bench: ## measure everything in benchmarks/ (minutes; figures are ratios within one run)
	@scripts/setup dev
	$(BIN)/python -m benchmarks
