# Two commands do all the set-up on a fresh machine: `make demo` and `make test`. They need Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO_HOME := build/demo
WORKERS ?= 2

.PHONY: demo test check bench long fuzz format docs catalog clean constraints

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "clew needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --editable '.[dev]'
	@touch $@

# The main job, end to end, on the sample that the repository ships.
demo: $(INSTALLED)
	@CLEW_HOME=$(DEMO_HOME) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -p tools.reached

check: $(INSTALLED)
	$(BIN)/ruff format --check src spec tests tools benchmarks
	$(BIN)/ruff check src spec tests tools benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/house.py
	$(BIN)/python tools/reference.py --check

bench: $(INSTALLED)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/decisions.py
	$(BIN)/python benchmarks/bulk.py
	$(BIN)/python benchmarks/audit.py --collect
	$(BIN)/python benchmarks/symbolic.py
	$(BIN)/python benchmarks/exposure.py
	$(BIN)/python benchmarks/who_can.py
	$(BIN)/python benchmarks/explain.py

# A million events, a hundred kills, long fuzzing.
long: $(INSTALLED)
	CLEW_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) -m long --override-ini addopts='-q --strict-markers --import-mode=importlib'

# The engine against the law, on more than 100,000 generated pairs of policies and request, new ones each time.
fuzz: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS) -m long --override-ini addopts='-q --strict-markers --import-mode=importlib' \
	  tests/properties/test_engine_is_the_law.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix src spec tests tools benchmarks
	$(BIN)/ruff format src spec tests tools benchmarks

docs: $(INSTALLED)
	$(BIN)/python tools/reference.py

# Refresh the committed catalogue of AWS's actions; needs npm and a network.
catalog: $(INSTALLED)
	$(BIN)/python tools/catalog.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Pin what is newest now: a fresh environment, frozen.
constraints:
	rm -rf build/pin && $(PYTHON) -m venv build/pin && build/pin/bin/python -m pip install --quiet --editable '.[dev]'
	{ echo "# Versions that the tests run with. Regenerate: make constraints"; \
	  build/pin/bin/python -m pip freeze --exclude-editable; \
	  grep -E '^(hatchling|trove-classifiers)==' constraints.txt; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
