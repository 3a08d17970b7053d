# Everything runs in .venv, in this folder. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
export TF_CPP_MIN_LOG_LEVEL ?= 3
export KERAS_BACKEND ?= tensorflow
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo fuzz test test-zoo test-backends test-parity test-probes zoo check bench gpu schema docs gallery chapter clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.venv/pip:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo '$(PYTHON) is not Python 3.11 to 3.13; name one that is: make PYTHON=python3.11 ...'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

# a stamp for every set of dependencies: installed once, and again when pyproject.toml changes
.venv/demo .venv/dev .venv/torch .venv/parity .venv/tensorflow-cuda: .venv/pip pyproject.toml
	@echo "installing resspec[$(@F)] and what it needs, which takes minutes the first time"
	$(BIN)/python -m pip install --quiet --editable '.[$(@F)]'
	@touch $@

demo: .venv/demo  ## install, build ResNet-200, run it on a photograph, train ResNet-20 and its plain twin
	$(BIN)/python tools/demo.py

test: .venv/dev  ## install, check style and types, run the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -m 'not zoo and not backends and not probes'

test-zoo: .venv/dev  ## build every shipped variant with Keras (slow)
	$(BIN)/python -m pytest tests/test_zoo.py

test-backends: .venv/dev .venv/torch  ## every shipped family on TensorFlow, JAX and PyTorch (slow; installs PyTorch)
	$(BIN)/python -m pytest -m backends
	KERAS_BACKEND=jax $(BIN)/python -m pytest tests/test_ops_keras.py -k channels_first

# in two processes, since XLA keeps what it compiled: 9 GB in the first
test-probes: .venv/dev  ## hold the probes to the figures of the literature, over several seeds (slow)
	$(BIN)/python -m pytest -m probes tests/test_probes_bars.py
	$(BIN)/python -m pytest -m probes $(filter-out tests/test_probes_bars.py,$(wildcard tests/test_probes*.py))

PARITY := .venv/parity-results

$(PARITY): .venv/dev .venv/parity
	mkdir -p $(PARITY)
	KERAS_BACKEND=tensorflow $(BIN)/python tools/parity.py --json $(PARITY)/tensorflow.json
	KERAS_BACKEND=jax $(BIN)/python tools/parity.py --six --json $(PARITY)/jax.json
	KERAS_BACKEND=torch $(BIN)/python tools/parity.py --six --json $(PARITY)/torch-keras.json
	KERAS_BACKEND=torch $(BIN)/python tools/parity.py --naming '!keras' --json $(PARITY)/torch.json

test-parity:  ## every shipped network against its reference, all backends (slow; installs PyTorch, torchvision, timm and others)
	rm -rf $(PARITY)
	$(MAKE) $(PARITY)
	$(BIN)/python tools/make_zoo.py --results $(PARITY)/*.json --print

zoo: $(PARITY)  ## make docs/zoo.md anew from what was measured last
	$(BIN)/python tools/make_zoo.py --results $(PARITY)/*.json

fuzz: .venv/dev  ## a minute of hostile inputs for the parser, the compiler, the renderers
	$(BIN)/python tools/fuzz.py --seconds 60 --jobs 2

check: .venv/dev  ## style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev  ## measure speed against what users would use instead
	$(BIN)/python tools/bench.py

gpu: .venv/dev .venv/tensorflow-cuda  ## outputs and times on whatever accelerator Keras sees
	$(BIN)/python tools/gpu.py

schema: .venv/dev  ## make the JSON Schema of the language anew
	$(BIN)/resspec schema -o resspec/spec.schema.json

docs: .venv/dev  ## make the generated parts of the documentation anew
	$(BIN)/python tools/make_ops_reference.py
	$(BIN)/python tools/readme_tables.py

gallery: .venv/dev  ## draw the gallery anew
	$(BIN)/python tools/make_gallery.py

chapter: .venv/dev  ## make docs/residual-networks.md anew: every experiment, figure and number in it (minutes)
	$(BIN)/python tools/make_chapter.py

clean:  ## remove the environment
	rm -rf .venv
