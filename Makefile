# make demo   grade a small class from end to end          make test   all that CI runs
# make lab    open the lesson in JupyterLab                make check  style, formatting, types
# make bench  time grading beside stock nbgrader           make hub    a JupyterHub to try (root)
# make help   this list
#
# Each target makes .venv first where it is needed, and again only when pyproject.toml,
# constraints.txt or the lab extension changed. PYTHON=/path/to/python3.11 chooses another Python
# (3.11 or newer), WORKERS=4 more test processes; PYTEST_ARGS, LAB_ARGS, HUB_ARGS, BENCH_ARGS are handed on.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test lab hub bench check lab-check

WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# The stamp's name says what was installed, and where: a moved or changed checkout sets up anew.
EXTENSION := jupyterlab_ext/pyproject.toml jupyterlab_ext/jupyterlab_attention/labextension/package.json
STAMP := $(VENV)/installed-$(shell { pwd; cat pyproject.toml constraints.txt $(EXTENSION); } 2>/dev/null | \
  cksum | cut -d' ' -f1)

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -8

setup: $(STAMP)

$(STAMP):
	@set -euo pipefail; \
	chosen=; \
	for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if command -v "$$python" >/dev/null 2>&1 && \
	     "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then chosen=$$python; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "No Python 3.11 or newer with venv was found. Install one (Debian: python3 and" \
	       "python3-venv), or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if [ ! -x $(BIN)/python ] || ! $(BIN)/python -c '' 2>/dev/null; then \
	  echo "Making $(VENV) with $$("$$chosen" -V)"; "$$chosen" -m venv --clear $(VENV); \
	fi; \
	echo "Installing the packages of constraints.txt into $(VENV) (some minutes the first time)"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[students,graders,developers]' ./jupyterlab_ext; \
	rm -f $(VENV)/installed-*; touch $@; echo "$(VENV) is ready"

demo: $(STAMP)
	@$(BIN)/attention-course demo

check: $(STAMP)
	@echo "ruff check: style"; $(BIN)/ruff check .
	@echo "ruff format: layout"; $(BIN)/ruff format --check .
	@echo "mypy: types"; $(BIN)/mypy

# Only who changes the lab extension needs node; who does not have it uses the assets as they are.
lab-check: $(STAMP)
	@if command -v node >/dev/null 2>&1; then bash jupyterlab_ext/check $(CURDIR)/$(BIN); else \
	  echo "lab extension: not checked, since node was not found; its built assets are used"; fi

test: check lab-check
	@echo "pytest: the whole suite on $(WORKERS) workers"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rfEs $(PYTEST_ARGS)

lab: $(STAMP)
	@echo "JupyterLab opens on release/; end it with Ctrl-C here"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab --notebook-dir=release \
	  --LabApp.default_url=/lab/tree/attention/lesson.ipynb $(LAB_ARGS)

# The proxy is a Node program; the hub itself and the rest come with .venv. npm says why it failed.
HUB_PROXY := deploy/jupyterhub/node_modules/.bin/configurable-http-proxy

hub: $(STAMP)
	@if [ -x $(HUB_PROXY) ] || ! command -v npm >/dev/null 2>&1 || [ "$$(id -u)" -ne 0 ]; then :; else \
	  echo "Installing configurable-http-proxy into deploy/jupyterhub/node_modules"; \
	  npm ci --prefix deploy/jupyterhub --omit=dev --silent; fi
	@PYTHONPATH=deploy/jupyterhub $(BIN)/python -m attention_hub $(HUB_ARGS)

bench: $(STAMP)
	@echo "benchmarks/grading"; $(BIN)/python -m benchmarks.grading $(BENCH_ARGS)
	@set -euo pipefail; for benchmark in benchmarks/[!_]*.py; do \
	  echo "$$benchmark"; $(BIN)/python "$$benchmark"; done
