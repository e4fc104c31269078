# Two commands for everybody: `make demo` and `make test`. Everything they need is set up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-all lint needs sample bench-baseline bench-diff constraints clean

demo: $(VENV)/.demo
	@$(BIN)/kisaan-validate demo

test: $(VENV)/.dev needs lint
	$(BIN)/python -m pytest -q -m "not slow"

# What takes longer than a coffee: large scales, many more random examples.
test-all: $(VENV)/.dev needs lint
	KISAAN_EXAMPLES=5 $(BIN)/python -m pytest -q

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

needs:
	@sh tests/needs.sh

# The committed sample report, from the demonstration.
sample: $(VENV)/.demo
	$(BIN)/python tests/make_sample.py

$(VENV)/.venv:
	@echo "setting up $(VENV) (once; a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.venv pyproject.toml constraints.txt
	@$(PIP) install -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@$(PIP) install -c constraints.txt -e '.[demo,test,dev]'
	@touch $@

# What a baseline costs beside a run, on two tables of five million rows: some minutes, 2 GB of disk.
bench-baseline: $(VENV)/.dev
	$(BIN)/python benchmarks/baseline.py --layout both

# What an exact comparison of two tables of five million rows costs, beside counting them and beside reladiff.
bench-diff: $(VENV)/.dev
	$(BIN)/python benchmarks/diff.py --layout all

# Pin what is installed now, without registry addresses.
constraints: $(VENV)/.dev
	$(BIN)/python -m pip freeze --exclude-editable --exclude kisaan-validate | grep -E '^[A-Za-z0-9_.-]+==' > constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
