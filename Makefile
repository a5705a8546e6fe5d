# Needs Python 3.11 or newer, make, and a package index. Everything else is installed into .venv, from requirements.lock.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CODE := services shared tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help setup demo up test bench chaos drill check format lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  Options for the command underneath go in ARGS: make demo ARGS="--appointments 2000"'

setup: $(INSTALLED) ## Make .venv with all that Daybook needs (the other targets do this by themselves)

demo: $(INSTALLED) ## Live through the lost day of a county, end to end, then exit
	$(BIN)/daybook demo $(ARGS)

up: $(INSTALLED) ## Start every service on this machine, and stay until Ctrl-C
	$(BIN)/daybook up $(ARGS)

test: $(INSTALLED) ## Run all tests, against a real PostgreSQL and a real NATS server
	@$(BIN)/python -m compileall -q $(CODE) # or each of the many processes would compile them again
	$(BIN)/pytest --numprocesses 2 --dist loadfile $(ARGS)

bench: $(INSTALLED) ## Measure what Daybook claims to be fast at, with the peer beside it; some minutes
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(INSTALLED) ## Hurt services, databases and broker while clients work, and check the log; some minutes
	$(BIN)/python -m tests.chaos $(ARGS)

drill: $(INSTALLED) ## Destroy each database and the broker's store of a county in turn, and make them again; some minutes
	$(BIN)/python -m tests.journeys.losses $(ARGS)

check: $(INSTALLED) ## Lint, formatting, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

format: $(INSTALLED) ## Put the code into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(INSTALLED) ## Choose the newest versions that pyproject.toml allows, and pin them by hash
	@$(INDEX); $(PIN) --upgrade --extra local --extra dev --output-file requirements.lock pyproject.toml
	@$(INDEX); $(PIN) --constraint requirements.lock --output-file deploy/requirements.lock pyproject.toml

clean: ## Remove .venv, the local data and every cache
	rm -rf $(VENV) .daybook *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

PIN = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command 'make lock'

# uv is fast but does not read pip's settings, so it is told pip's index; should that not be enough (a folder of wheels,
# a certificate of one's own), pip installs the same lock. Modules are compiled once here, since otherwise every process
# would compile them again where Python is told not to write.
INDEX = index=$${UV_DEFAULT_INDEX:-$${UV_INDEX_URL:-$$($(BIN)/pip config list \
	| sed -n "s/^[a-z:]*\.index-url='\(.*\)'$$/\1/p" | head -n 1)}}; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Daybook needs Python 3.11 or newer, and $(PYTHON) is not. Name another: make PYTHON=python3.12 $@" >&2; exit 1; }
	@echo 'Setting up $(VENV) …'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock 2> $(VENV)/setup.log \
		|| { cat $(VENV)/setup.log >&2; exit 1; }
	@$(INDEX); $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock \
		|| { echo 'pip installs it instead.'; $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@$(BIN)/uv pip install --quiet --offline --no-cache --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
