# Everything runs from .venv, which is made from requirements.txt. Needed beforehand: Python 3.11 or newer, and make.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --generate-hashes

.PHONY: help demo check test unit attacks referees bench lint format requirements sbom clean

help: ## show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

demo: .venv/ready ## all pipelines on this machine: local cloud, deployment, sample data, tables; leaves it running
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

attacks: .venv/ready ## files, vendors and events made to do harm, writers that die at every call: what is too slow for `make test`
	$(BIN)/pytest -v -m attack

referees: .venv/ready ## real engines judge what emulators pass: fetched from Maven Central, PyPI and npm where they are reached; ENGINES="trino spark" for some
	$(BIN)/python -m tests.referees $(ENGINES)

format: .venv/ready ## put the code into the project's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: .venv/ready ## pin what pyproject.toml asks for, with all it needs, for every platform; the layers' and the notebooks' packages likewise; by hashes
	$(COMPILE) --extra dev --extra query --custom-compile-command 'make requirements' pyproject.toml --output-file requirements.txt
	@for file in layers/*/requirements.txt notebooks/requirements.txt; do \
		{ head -n 1 $$file; grep -oE '^[a-z0-9-]+' $$file | $(COMPILE) --no-header --no-deps --constraint requirements.txt -; } \
			> $$file.new && mv $$file.new $$file || exit 1; \
	done
	cd infra/cdk_command && npm install --silent --package-lock-only --omit-lockfile-registry-resolved

sbom: .venv/ready ## bills of materials (CycloneDX) of this environment, of each layer and of the CDK command: build/sbom
	$(BIN)/python -m infra.bill_of_materials

.venv/ready: requirements.txt pyproject.toml infra/cdk_command/package-lock.json Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "making the environment (.venv): about a minute, once"
	$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > .venv/uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@cp infra/cdk_command/package*.json .venv
	$(BIN)/npm ci --silent --prefix .venv
	@touch $@

clean: ## remove the environment and everything that was built; the local cloud is stopped first
	-test ! -x $(BIN)/sluice || $(BIN)/sluice local down
	rm -rf .venv build cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
