# Two commands are all a fresh machine needs: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUT ?= build/demo

.PHONY: help demo test slow fuzz check lint types format docs clean

help: ## Show what there is to make.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Install, compile the demo model and print its profile.
	$(BIN)/edgetx compile kws-transformer-micro --target nucleo-l4r5zi -o $(DEMO_OUT)

test: $(VENV)/.dev toolchain ## Install everything and run the tests.
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not slow" --durations=25

slow: $(VENV)/.dev toolchain ## Run the tests that take minutes each.
	$(BIN)/python -m pytest -m slow

fuzz: $(VENV)/.dev ## Damage model files for an hour and see that the importers refuse them.
	$(BIN)/python tests/fuzz/fuzz_importers.py --minutes 60

check: lint types ## Lint and type-check.

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/make_docs.py --check

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev ## Format Python and C.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## Regenerate the tables in docs/.
	$(BIN)/python tools/make_docs.py

clean: ## Remove what these commands made.
	rm -rf build $(VENV)

# The cross compiler, QEMU and adb come from Debian where apt-get may install them; edgetx itself can do with ziglang.
.PHONY: toolchain
toolchain: | $(VENV)/bin/python
	@sh tools/install-toolchain.sh
	@sh tools/build-adbd.sh $(BIN)/adbd

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[torch,verify,simulate,firmware,train]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.demo
