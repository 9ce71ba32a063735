# Needs Python 3.11 or later and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

# Work is parallel by processes; threads inside the linear algebra would fight with them.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What was edited since it was installed is compiled once, and not by each of the many processes that tests start.
COMPILED = @$(BIN)/python -m compileall -q hhp_stats

.PHONY: report data test test-slow check bench clean lock help

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

report: $(VENV)/report.stamp  ## Render the HTML site and report.pdf into _output/
	$(BIN)/hhp render

data: $(VENV)/report.stamp  ## Write the synthetic release into data/ again, from its seed
	$(BIN)/hhp synthesise

test: $(VENV)/dev.stamp  ## Run the tests (under ten minutes on two cores)
	$(COMPILED)
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder -m "not slow"

test-slow: $(VENV)/dev.stamp  ## Run the long simulation tests too
	$(COMPILED)
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

check: $(VENV)/dev.stamp  ## Lint, types, spelling and syntax of the report's sources
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/hhp lint

bench: $(VENV)/dev.stamp  ## Measure speed and memory; AGAINST=COMMIT: in turn with another commit
	$(BIN)/python -m benchmarks.run $(if $(AGAINST),--against $(AGAINST))

lock: $(VENV)/dev.stamp  ## Compile the lock files again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra report --extra spss --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra report --extra spss --extra test --extra dev --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements-dev.lock

clean:  ## Remove everything that was made, the environment too
	rm -rf $(VENV) _output .report .quarto report/figures .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python $(VENV)/Scripts/python.exe:
	$(PYTHON) -m venv $(VENV)

$(VENV)/report.stamp: requirements.lock pyproject.toml | $(BIN)/python$(if $(filter Windows_NT,$(OS)),.exe)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q hhp_stats
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python$(if $(filter Windows_NT,$(OS)),.exe)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q hhp_stats
	@touch $@ $(VENV)/report.stamp
