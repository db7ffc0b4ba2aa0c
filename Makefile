# Everything a person types. Needs Python >= 3.11, git and make; nothing else.
# The environment, .venv, is made from the hashed locks in deploy/locks.

PYTHON ?= python3
UV ?= uv
ARGS ?=
BIN := .venv/bin
SCHEMAS := $(wildcard services/newswire_cli/schemas.py)

.DEFAULT_GOAL := help
.PHONY: help run test chaos check format bench lock schemas clean runtime dev

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: runtime ## Start everything with an embedded server and a demo (ARGS="--port 9000 --no-demo")
	@exec $(BIN)/newswire up $(ARGS)

test: dev ## Run every test that this machine can run (ARGS="-k embargo" picks some)
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

# As large as they are promised; each may be set otherwise (tests/README.md says what it is).
chaos: export NEWSWIRE_CHAOS_KILLS ?= 50
chaos: export NEWSWIRE_CHAOS_OUTAGE ?= 90
chaos: export NEWSWIRE_CHAOS_DELIVERIES ?= 20000
chaos: export NEWSWIRE_CHAOS_BACKLOG ?= 10000
chaos: export NEWSWIRE_CHAOS_WAITING ?= 10000
chaos: export NEWSWIRE_CHAOS_DISK ?= 50
chaos: dev ## Hold the hard promises at full size: 50 kills, 90 s without a broker, a full disk … (ARGS="-k broker")
	@$(BIN)/pytest tests/chaos tests/integration/test_webhook_isolation.py $(ARGS)

check: dev ## What CI checks before the tests: format, lint, types, layers, locks, generated schemas
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python deploy/locks.py check
ifneq ($(SCHEMAS),)
	@$(BIN)/python -m newswire_cli.schemas --check
endif

format: dev ## Format the code and repair what the linter can
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: dev ## Measure each part beside a plain baseline, and print the ratios
	@$(BIN)/python -m tests.bench $(ARGS)

lock: ## Make the locks anew after a change of dependencies (UPGRADE=1 takes newer releases; needs uv)
	@UV=$(UV) $(PYTHON) deploy/locks.py make

schemas: dev ## Write the generated schemas anew
	@$(BIN)/python -m newswire_cli.schemas

clean: ## Remove the environment and all caches; the data in ./var stays
	@rm -rf .venv .cache dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .grimp_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime dev:
	@command -v $(PYTHON) >/dev/null || { echo "newswire needs Python 3.11 or newer: $(PYTHON) is not there. Install it, or name it: make run PYTHON=/path/to/python3.13"; exit 1; }
	@$(PYTHON) deploy/environment.py $@
