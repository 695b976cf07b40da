# A newcomer needs three targets: `make demo`, `make test`, `make install`. `make help` lists all of them.
# `make test-slow` also needs Debian's qemu-user-static; `make test-device` needs root, qemu-user-static, mmdebstrap,
# debian-archive-keyring and openssh-client.
# Formats whose tools are large need extras of their own:  make install EXTRAS=all,dev,build-NAME
# A smaller torch on Linux:  make install TORCH_INDEX=https://download.pytorch.org/whl/cpu
# uv installs if it is on PATH, with pip's settings, and pip else. pip all the same:  make install UV=

PYTHON ?= python3
VENV := .venv
# Only torch comes from it: of two indexes at once, pip would take any package from the one with the newer version.
TORCH_INDEX ?=
EXTRAS ?= all,dev
UV ?= uv
comma := ,
BIN := $(VENV)/bin
INSTALL := UV='$(UV)' $(BIN)/python tests/making/installing.py
# A file that says: this environment was made from these two files.
INSTALLED := $(VENV)/.installed
# The same for what the demo needs, and what the site needs: small parts of it.
DEMO_INSTALLED := $(VENV)/.demo-installed
DOCS_INSTALLED := $(VENV)/.docs-installed

.PHONY: coverage demo docs docs-links docs-generate help lint test test-fast test-slow test-device install install-litert check-python clean
.DEFAULT_GOAL := install

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO_INSTALLED) ## the whole job on generated images
	$(BIN)/edgefit demo --out edgefit-demo --overwrite

lint: $(INSTALLED) ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DOCS_INSTALLED) ## the site of docs/, into build/docs (Python 3.11 or newer)
	$(BIN)/python -m sphinx -E -W --keep-going -q -c docs . build/docs
	@echo "the site: build/docs/index.html"

docs-links: $(DOCS_INSTALLED) ## the addresses of other sites in docs/: needs the network
	$(BIN)/python -m sphinx -E -W --keep-going -q -b linkcheck -c docs . build/linkcheck

docs-generate: $(INSTALLED) ## rewrite the pages and schemas of docs/ that are made from the code
	PYTHONPATH=tests $(BIN)/python -m making.generated_pages
	$(BIN)/python -m bench.runtimes.profile_names

test-fast: $(INSTALLED) ## the unit tests alone: under a minute on two cores
	$(BIN)/pytest -n 2 --dist worksteal tests/unit

coverage: $(INSTALLED) ## the unit tests, and the branches of the pure folders that they reach: at least 95 %
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term tests/unit

test: lint coverage ## what decides whether a change lands: lint and every test that is neither slow nor a device's
	$(BIN)/pytest -n 2 --dist worksteal tests/integration tests/page

test-slow: $(INSTALLED) ## what takes minutes a test: the whole main job, and CPUs that this machine is not
	$(BIN)/pytest -n 2 --dist worksteal -m slow

test-device: $(INSTALLED) ## an emulated arm64 board (as root)
	$(BIN)/pytest -n 2 tests/device

install: $(INSTALLED) ## everything into .venv

install-litert: $(INSTALLED) ## what exports LiteRT, into .venv (x86-64, Python 3.11 and newer)
	$(INSTALL) --no-deps --requirement .ci/litert-tools.txt

$(INSTALLED): extras = $(EXTRAS)
# Whoever has everything has what the demo needs.
$(INSTALLED): also = $(if $(filter all,$(subst $(comma), ,$(EXTRAS))),$(DEMO_INSTALLED))
$(DEMO_INSTALLED): extras = build,report
$(DOCS_INSTALLED): extras = docs
$(INSTALLED) $(DEMO_INSTALLED) $(DOCS_INSTALLED): pyproject.toml constraints.txt | check-python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(and $(TORCH_INDEX),$(filter-out docs,$(extras))),$(INSTALL) --no-deps --index-url $(TORCH_INDEX) torch torchvision)
	$(INSTALL) --editable '.[$(extras)]'
	touch $@ $(also)


check-python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "make: no '$(PYTHON)' here. Install Python 3.10 or newer (Debian: apt install python3 python3-venv), or: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "make: '$(PYTHON)' is older than Python 3.10. Install a newer one, then: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "make: '$(PYTHON)' has no venv module. Install it (Debian: apt install python3-venv), then again."; exit 1; }

clean: ## remove the environment and whatever tools keep
	rm -rf $(VENV) .coverage edgefit-demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
