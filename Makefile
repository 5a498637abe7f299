# A fresh machine needs Python 3.11 or newer, and make. Every target installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo quick test check bench faults audit docs links wheel clean

$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("admet needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

demo: $(VENV)/.base  ## Simulate a panel, measure, group, train, test; compare ways of training
	$(BIN)/admet make_demo_panel --output demo/panel.csv --overwrite
	$(BIN)/admet train --config configs/demo.yaml --data-path demo/panel.csv --save-dir demo/run --overwrite
	$(BIN)/admet study --config configs/demo_study.yaml --data-path demo/panel.csv --save-dir demo/study --overwrite

quick: $(VENV)/.dev  ## The tests that need no whole training: a minute
	$(BIN)/python -m pytest -q -m "not slow and not guide and not docs"

test: $(VENV)/.dev  ## All tests, in two processes
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev  ## Style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev  ## Speed, side by side with Chemprop
	for name in start_up training_step prediction affinity_cost affinity_seeds recovery growth; do \
	  $(BIN)/python -W ignore benchmarks/$$name.py "$(PANEL)" || exit 1; done
	if [ -n "$(PANEL)" ]; then $(BIN)/python -W ignore benchmarks/whole_command.py "$(PANEL)" \
	  && $(BIN)/python -W ignore benchmarks/precision_accuracy.py "$(PANEL)"; fi

faults: $(VENV)/.dev  ## Kills, full disks, bit flips, hostile inputs, fuzzing: an hour
	$(BIN)/python faults/bit_flips.py 1000
	$(BIN)/python faults/strangers.py 500
	$(BIN)/python faults/hostile.py
	$(BIN)/python faults/sameness.py
	for target in table config smiles molecules; do \
	  $(BIN)/python faults/fuzz.py $$target -max_total_time=120 || exit 1; done
	$(BIN)/python faults/load.py
	$(BIN)/python faults/attack.py
	$(BIN)/python faults/kills.py 110 20
	$(BIN)/python faults/storage.py 14 6 || [ $$? -eq 77 ]  # 77: no namespaces here

audit:  ## Known vulnerabilities of the pinned packages; needs the network
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet pip-audit
	$(VENV)/audit/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

docs: $(VENV)/.docs  ## HTML documentation in docs/_build/html
	$(BIN)/python docs/generate_reference.py
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

links: $(VENV)/.docs  ## Whether addresses in the documentation answer; needs the network
	$(BIN)/sphinx-build --keep-going -b linkcheck docs docs/_build/links

wheel: $(VENV)/.dev  ## Wheel and source distribution in dist/
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")' >/dev/null
	$(BIN)/python scripts/check_wheel.py dist

clean:
	rm -rf $(VENV) demo docs/_build .mypy_cache .ruff_cache .pytest_cache
