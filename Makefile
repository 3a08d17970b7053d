# `make help` lists what there is. Needed: make, and Python 3.11 to 3.13 with venv
# (on Debian: apt install make python3 python3-venv). Everything is installed into .venv here.

PYTHON ?= python3
TESTS ?=
VENV := .venv
RUN := $(VENV)/bin/python
# the whole log of pip where somebody watches, its errors alone elsewhere
PIP := $(RUN) -m pip install $(shell test -t 2 || echo --quiet)

export TF_CPP_MIN_LOG_LEVEL ?= 3
export KERAS_BACKEND ?= tensorflow
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1
export PYTHONUTF8 ?= 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-zoo test-backends check bench gpu schema docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/has-demo ## build ResNet-200, run it on a photograph, train two small networks (two minutes)
	$(RUN) tools/demo.py

test: check ## install everything, lint, type-check, run the tests
	$(RUN) -m pytest -n auto -m "not zoo and not backends" $(TESTS)

test-zoo: $(VENV)/has-dev ## build every variant of every shipped spec with Keras
	$(RUN) -m pytest -m zoo $(TESTS)

test-backends: $(VENV)/has-dev $(VENV)/has-torch ## the same networks on TensorFlow, JAX and PyTorch
	$(RUN) -m pytest -m backends $(TESTS)

check: $(VENV)/has-dev ## lint and types alone
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: $(VENV)/has-dev ## times and memory, as ratios to Keras by hand
	$(RUN) tools/bench.py

gpu: $(VENV)/has-tensorflow-cuda ## the measurements that need a GPU
	$(RUN) tools/gpu.py

schema: $(VENV)/has-dev ## write the JSON Schema of spec files anew
	$(RUN) -m resspec.cli schema -o resspec/spec.schema.json

docs: $(VENV)/has-dev ## write the generated parts of the documentation anew
	$(RUN) tools/make_ops_reference.py
	$(RUN) tools/readme_tables.py

clean: ## remove .venv and what the tools leave behind
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Stamps: a target runs again when pyproject.toml changes, and after an installation that broke off.

$(VENV)/has-%: pyproject.toml | $(VENV)/made
	@echo "installing resspec with the extra '$*' into $(VENV); TensorFlow alone is 600 MB, once"
	$(PIP) --editable ".[$*]"
	@touch $@

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "$(PYTHON) is not Python 3.11 to 3.13; try: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
