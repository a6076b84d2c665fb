# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup demo test ui bench calibrate lint docs clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(VENV)/.complete ## Make the environment from uv.lock

# uv is taken from the machine, or from PyPI into a folder of its own where there is none.
$(VENV)/.complete: pyproject.toml uv.lock
	@command -v uv >/dev/null || test -x .uv/bin/uv || \
	  { echo "Getting uv from PyPI ..."; $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv; }
	@echo "Making the environment in $(VENV) (about 6 GB with PyTorch; only the first time) ..."
	@PATH="$(CURDIR)/.uv/bin:$$PATH" uv sync --frozen --compile-bytecode
	@touch $@

demo: setup ## Answer the question for two synthetic markets whose truth is known
	@$(BIN)/modalift run studies/demo.yaml

test: setup ## Run the tests
	@$(BIN)/pytest -n auto --dist loadfile

# Only what is given to make counts: an environment's PORT may be meant for something else.
given = $(if $(filter command,$(firstword $(origin $(1)))),--$(2)-port $($(1)))
ui: setup ## Dagster on port 3000, MLflow on 5000, the reports on 5001 (PORT=, MLFLOW_PORT=, REPORTS_PORT= move them)
	@$(BIN)/modalift ui $(call given,PORT,dagster) $(call given,MLFLOW_PORT,mlflow) $(call given,REPORTS_PORT,reports)

bench: setup ## Speed on this machine, as ratios to a plain way of doing the same
	@for name in ranking closed_form training describing encoders; do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

DRAWS ?= 100
MODELS ?= closed-form
calibrate: setup ## Test the program where the truth is known (DRAWS=20, DATA=folder, MODELS=trained)
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/calibrate.py --draws $(DRAWS) --models $(MODELS) $(if $(DATA),--data $(DATA)) --page docs/calibration.md

lint: setup ## Style, types, and which package may import which
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@if grep -q '^\[tool.importlinter' pyproject.toml; then $(BIN)/lint-imports; fi

docs: setup ## The documentation as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet && echo "site/index.html"

clean: ## Remove the environment (the home folder with its results stays)
	rm -rf $(VENV) .uv
