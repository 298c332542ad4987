# Everything runs from .venv, which is made from requirements.txt. Needed beforehand: Python 3.11 or newer, and make.
PYTHON ?= python3
# newest 2.x: what npm calls latest, 3.0.0, is a stray release that refuses the assemblies of this library
CDK := aws-cdk@2.1148.1
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo check test unit attacks bench lint format requirements clean

help: ## show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

demo: .venv/ready ## the whole pipeline on this machine: local cloud, deployment, sample files, tables; leaves it running
	$(BIN)/sluice demo

check: .venv/ready ## formatting, rules, types, imports and unit tests: the inner loop
	@$(MAKE) --no-print-directory -j 2 lint unit

test: lint ## everything that proves the project
	$(BIN)/sluice contract check
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder

bench: .venv/ready ## speed, memory, growth, latency and cost, beside others on the same bytes; a quarter of an hour; FILES=10000 for a larger burst
	$(BIN)/python -m tests.bench $(if $(FILES),--files $(FILES))

lint: .venv/ready ## formatting, rules, imports, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

unit: .venv/ready ## tests that need no AWS, nor an emulator of it
	$(BIN)/pytest -q -n 2 tests/*/unit tests/support

attacks: .venv/ready ## files, vendors and events made to do harm, with limits on time and memory: those too slow for `make test`
	$(BIN)/pytest -v -m attack tests/*/security

format: .venv/ready ## put the code into the project's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: .venv/ready ## pin what pyproject.toml asks for, with all it needs, for every platform
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-annotate --custom-compile-command 'make requirements' \
		pyproject.toml --output-file requirements.txt

.venv/ready: requirements.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "making the environment (.venv): about a minute, once"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $$(grep '^uv==' requirements.txt)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/npm install --silent --no-save --prefix .venv $(CDK)
	@touch $@

clean: ## remove the environment and everything that was built; the local cloud is stopped first
	-test ! -x $(BIN)/sluice || $(BIN)/sluice local down
	rm -rf .venv build cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
