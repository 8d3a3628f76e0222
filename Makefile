# demo, test, test-all and lint work on a bare machine with Python 3.11: each first makes .venv with the tested versions,
# and makes it again when setup.cfg or constraints.txt change. Choose the interpreter with PYTHON=..., and add options for
# pip, such as an index that serves torch for the processor, with PIP_FLAGS=...
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP_FLAGS ?=
BIN := .venv/bin

export OMP_NUM_THREADS := 1

.PHONY: demo test test-all lint clean

demo: .venv/installed
	$(BIN)/marl-supply run experiments/cd_retail_chain.yaml

test: .venv/installed
	$(BIN)/python -m pytest -m "not slow" -n 2

test-all: .venv/installed
	$(BIN)/python -m pytest -n 2

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/mypy

.venv/installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e ".[all]"
	touch $@

clean:
	rm -rf .venv build dist *.egg-info
