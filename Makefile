# Three targets a newcomer needs: `make demo`, `make test`, `make install`. `make test-slow` runs what takes minutes
# a test: the whole main job, and CPUs that this machine is not (Debian: apt install qemu-user-static).
# `make test-device` tries an emulated arm64 board (as root; Debian: apt install qemu-user-static mmdebstrap
# debian-archive-keyring openssh-client).
# A smaller torch on Linux:  make install TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= python3
VENV := .venv
TORCH_INDEX ?=
BIN := $(VENV)/bin
# A file that says: this environment was made from these two files.
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-slow test-device install check-python clean
.DEFAULT_GOAL := install

demo: $(INSTALLED)
	$(BIN)/edgefit demo --out edgefit-demo --overwrite

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist worksteal

test-slow: $(INSTALLED)
	$(BIN)/pytest -n 2 --dist worksteal -m slow

test-device: $(INSTALLED)
	$(BIN)/pytest -n 2 tests/device

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt | check-python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet \
	  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) \
	  --constraint constraints.txt --editable '.[all,dev]'
	touch $@

check-python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "make: no '$(PYTHON)' here. Install Python 3.10 or newer (Debian: apt install python3 python3-venv), or: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "make: '$(PYTHON)' is older than Python 3.10. Install a newer one, then: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "make: '$(PYTHON)' has no venv module. Install it (Debian: apt install python3-venv), then again."; exit 1; }

clean:
	rm -rf $(VENV) edgefit-demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
