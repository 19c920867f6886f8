# Everything lives in .venv: `make demo` puts the core and plots there, `make test` adds what tests need. Remove it with `make clean`.
# torch goes first and alone, so that nothing that depends on it picks another one, with GPU packages.
PY ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest
# Two workers where there are two cores.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo docs test test-slow test-all check format clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/demo.stamp  ## the hyper-parameter lottery in small, with a report; on a fresh machine too
	@$(BIN)/python experiments/lottery.py --quick --out runs/lottery-quick

test: .venv/dev.stamp  ## run the tests but the slow ones
	$(PYTEST) -n $(JOBS) -m "not slow"

test-slow: .venv/dev.stamp  ## run the slow tests only
	$(PYTEST) -n $(JOBS) -m slow

test-all: .venv/dev.stamp  ## run all tests
	$(PYTEST) -n $(JOBS)

check: .venv/dev.stamp  ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/dev.stamp  ## build the documentation into site/; what is broken in it fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html"

format: .venv/dev.stamp  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and everything that can be made again; runs/ stays
	rm -rf .venv build dist site *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made.stamp:
	@$(PY) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "archgym needs Python 3.11, 3.12 or 3.13. Name one: make PY=python3.11 ..." >&2; exit 2; }
	$(PY) -m venv .venv
	@touch $@

.venv/demo.stamp: pyproject.toml constraints.txt | .venv/made.stamp
	@echo "Installing archgym into .venv (once; about a minute)"
	@$(PIP) --editable '.[report,experiments]'
	@touch $@

.venv/dev.stamp: pyproject.toml constraints.txt | .venv/made.stamp
	@echo "Installing what the tests need into .venv (once; some minutes, torch and Ray are large)"
	@$(PIP) torch==2.13.0
	@$(PIP) --editable '.[all,dev]'
	@touch $@ .venv/demo.stamp
