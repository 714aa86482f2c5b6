# Every command of the project. `make` alone explains them; what a target needs is set up first.

# One stamp for what is to be installed and where: the same again is done already.
KEY := $(shell { pwd; cat requirements.lock pyproject.toml; } | cksum | tr ' ' '-')
READY := .venv/.ready-$(KEY)
PYTHON := .venv/bin/python

# make run UP="--web-port 5002", make test TESTS="tests/rules -k ledger"
UP ?=
TESTS ?=
BENCH ?=
# make simulate SEEDS=1, make simulate-small SEEDS=5 FIRST=17 FAULT=without_lock
SEEDS ?=
FIRST ?= 1
FAULT ?=
# How many processes share the whole suite: some of its tests wait while others compute.
WORKERS ?= 4

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run demo test check static format format-check lint types imports \
	sandbox-contract sandbox-cli simulate simulate-small bench lock clean FORCE

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv, install the locked packages, fetch the face models; at once when done
	@:

# The last file that set-up fetches: without it nothing is ready, whatever the stamp says.
$(READY): $(if $(wildcard models/NOTICE),,FORCE)
	@bin/setup "$@"

run: $(READY)  ## run the whole product until Ctrl-C
	@$(PYTHON) -m talkingphoto.cli up $(UP)

demo: $(READY)  ## buy a plan and a pack and make a video in a headless browser, on free ports
	@$(PYTHON) -m tests.support.demo

test: $(READY)  ## run the tests
	@$(PYTHON) -m pytest $(if $(TESTS),$(TESTS),-n $(WORKERS))

check: static test  ## everything that must pass: format, lint, types, import rules, tests

static: format-check lint types imports

format: $(READY)  ## put the code in its format
	@$(PYTHON) -m ruff check --quiet --select I --fix .
	@$(PYTHON) -m ruff format --quiet .

format-check: $(READY)
	@echo "Checking the format"
	@$(PYTHON) -m ruff format --quiet --check . \
		|| { echo "Some files are not in their format: run make format" >&2; exit 1; }

lint: $(READY)  ## look for mistakes and forbidden calls
	@echo "Looking for mistakes"
	@$(PYTHON) -m ruff check --quiet .

types: $(READY)  ## check the types
	@echo "Checking the types"
	@$(PYTHON) -m mypy --no-error-summary

imports: $(READY)  ## check who imports whom
	@echo "Checking who imports whom"
	@$(PYTHON) .venv/bin/lint-imports --no-logo

sandbox-contract: $(READY)  ## hold the sandbox and our requests against what Stripe describes
	@$(PYTHON) -m tests.contract

simulate: $(READY)  ## live a year of 200 customers over HTTP for SEEDS=3 seeds, then compare
	@$(PYTHON) -m tests.simulation full $(or $(SEEDS),3) $(FIRST) $(FAULT)

simulate-small: $(READY)  ## live three months of 10 customers in process, for SEEDS=50 seeds
	@$(PYTHON) -m tests.simulation small $(or $(SEEDS),50) $(FIRST) $(FAULT)

bench: $(READY)  ## measure speed beside yardsticks, one JSON line a benchmark
	@$(PYTHON) -m benchmarks $(BENCH)

sandbox-cli: $(READY)  ## trigger every event by Stripe's own CLI, fetched once from npm
	@$(PYTHON) -m tests.stripe_cli

lock: $(READY)  ## for maintainers: resolve the dependencies again
	@$(PYTHON) -m uv lock --quiet
	@$(PYTHON) -m uv export --quiet --all-extras --all-groups --no-emit-project \
		--format requirements-txt --no-header -o requirements.lock
	@$(PYTHON) -m uv export --quiet --all-extras --no-dev --no-emit-project \
		--format requirements-txt --no-header -o requirements-payment.txt

clean:  ## delete .venv, the face models and what tools left behind; the data folder stays
	@rm -rf .venv models build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
