# Beatbook: `make help` lists what there is. On Windows without make, see README.md.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready

.PHONY: help report test check ui lab lock clean pristine

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

report: $(READY)  ## build the St. Louis book for the week ending 2019-12-29
	$(BIN)/beatbook report --department st_louis --week-ending 2019-12-29

test: $(READY) check  ## run the checks of the code and the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

ui: $(READY)  ## start Dagster's UI at http://127.0.0.1:3000
	$(BIN)/beatbook ui

lab: $(READY)  ## start JupyterLab in the notebooks folder
	$(BIN)/beatbook lab

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Beatbook needs Python 3.11 or newer; set PYTHON=python3.12, for example.')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "open('$(READY)', 'w').close()"

lock:  ## write requirements.lock again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --no-emit-index-url --quiet --output-file requirements.lock

clean:  ## remove reports, run logs and working files; tables and histories stay
	$(PYTHON) -c "import glob, shutil; [shutil.rmtree(folder, ignore_errors=True) for folder in ('reports', '.dagster', *glob.glob('data/*/text'), *glob.glob('data/*/staging'))]"

pristine: clean  ## remove the tables too, and the histories of checks, forecasts and sendings
	$(PYTHON) -c "import shutil; shutil.rmtree('data', ignore_errors=True)"
