# Two commands matter: `make up` (a whole Omnify at one address) and `make test` (every check). They need python3 and make.

SHELL := /bin/bash
.DEFAULT_GOAL := up
.PHONY: up test chaos bench lint fmt clean

# The first Python on this machine that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/installed

# Tests have a server of their own, so that a running `make up` is not disturbed.
CHECKS := OMNIFY_STATE_DIR=$(CURDIR)/.omnify/test OMNIFY_DB_ROLE=owner

up: $(READY)
	@exec $(BIN)/python manage.py up

test: $(READY)
	@$(CHECKS) exec $(BIN)/python manage.py verify

# The large kill test; the small one is part of `make test`.
chaos: $(READY)
	@$(CHECKS) exec $(BIN)/python manage.py verify --only chaos

bench: $(READY)
	@$(CHECKS) exec $(BIN)/python manage.py verify --only bench

lint: $(READY)
	@$(CHECKS) exec $(BIN)/python manage.py verify --only style format types imports

fmt: $(READY)
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

clean:
	@if [ -x $(BIN)/python ]; then OMNIFY_STATE_DIR=$(CURDIR)/.omnify/test $(BIN)/python manage.py db stop || true; fi
	rm -rf .omnify/test .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Touched last: a half-finished installation is done again. A second run finds it fresh and takes no time.
# Everything comes from constraints.txt by its hash, the build's own tools too; then ourselves, with nothing left to fetch.
$(READY): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "Omnify needs Python 3.11 or newer. Set PYTHON=/path/to/python3." >&2; exit 1; fi
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(READY)
