# Two commands for everybody: `make demo` and `make test`. Everything they need is set up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test files are dealt out to so many processes, each with servers of its own.
PROCS ?= 2
PYTEST = $(BIN)/python -m pytest -q -n $(PROCS) --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Which room may import which, docstrings, how much an expression may say, names, exit codes: part of lint, so not
# run again.
SHAPE := $(patsubst %,tests/test_%.py,floors manner names exit_codes)

# Python keeps what it compiled, whatever the environment says: of the tests alone that is half a minute each time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: types shape bench-table bench-tried bench-rivals bench-startup bench-many demo test test-all test-most lint needs sample bench bench-speed bench-baseline bench-init bench-streams constraints clean bench-report bench-index bench-history bench-diff bench-guest bench-backup bench-tape gallery gallery-dumps gallery-migrations

demo: $(VENV)/.demo
	@$(BIN)/kisaan-validate demo

# A third of the random examples that `make test-all` tries, which also adds the longer proofs.
test: $(VENV)/.dev needs lint
	KISAAN_EXAMPLES=1/3 $(PYTEST) $(SHAPE:%=--ignore=%) -m "not slow"

# Every test once: those of `make test` and the longer proofs, on EXAMPLES times the random examples (others each
# time, if more than once).
EXAMPLES ?= 5
test-all: $(VENV)/.dev needs lint
	KISAAN_EXAMPLES=$(EXAMPLES) $(PYTEST) $(SHAPE:%=--ignore=%) $(if $(filter-out 1,$(EXAMPLES)),--hypothesis-profile=default)

# The same where time is limited: half the random examples, some of the files that have very many long cases.
test-most: $(VENV)/.dev needs lint
	KISAAN_EXAMPLES=1/2 $(PYTEST) $(SHAPE:%=--ignore=%) -m "not exhaustive"

lint: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check .
	$(BIN)/typos --format brief .
	@$(MAKE) --no-print-directory -j2 types shape

types:
	$(BIN)/mypy

shape:
	$(BIN)/python -m pytest -q $(SHAPE)

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

# Of the last package only its axe.min.js is wanted, not the browsers that it depends on.
$(VENV)/.dev: $(VENV)/.demo
	@$(PIP) install -c constraints.txt -e '.[demo,test,dev]'
	@$(PIP) install -c constraints.txt --no-deps axe-playwright-python
	@$(BIN)/python -m compileall -q kisaan_validate
	@touch $@

# How fast it is, as ratios of one run each, on every PostgreSQL that is there: an hour, some GB of disk. Writes the
# table of docs/performance.md. ARGS reach every one of them: make bench ARGS='--rows 200000 --rounds 3'.
bench: export KISAAN_BENCH := $(CURDIR)/.measured.jsonl
bench: bench-rivals
	rm -f $(KISAAN_BENCH)
	missed=0; for one in speed baseline init streams diff report index startup many; do $(MAKE) bench-$$one || missed=1; done; \
	$(MAKE) bench-table && exit $$missed

# By itself: what names $(MAKE) is run even by make -n.
bench-table: $(VENV)/.dev
	$(BIN)/python benchmarks/table.py $(KISAAN_BENCH)

# Soda 4, in an environment of its own; diff.py makes reladiff's itself.
RIVALS := $(VENV)/rivals
bench-rivals: $(VENV)/.dev
	@test -x $(RIVALS)/bin/python || $(PYTHON) -m venv $(RIVALS)
	@$(RIVALS)/bin/python -m pip --disable-pip-version-check install --quiet soda-postgres

bench-speed: $(VENV)/.dev
	$(BIN)/python benchmarks/speed.py --server both $(SODA) $(ARGS)

# Where the time of a run goes, and what other forms of its statements would cost.
bench-tried: $(VENV)/.dev
	$(BIN)/python benchmarks/tried.py $(ARGS)

# Only where it was set up, by bench-rivals.
SODA = $(if $(wildcard $(RIVALS)/bin/python),--soda $(RIVALS)/bin/python)

# Every migration of the gallery must be judged right, on PostgreSQL 18 and 15. About five minutes.
gallery-migrations: $(VENV)/.dev
	$(BIN)/python tests/gallery_migrations_score.py

# Every planted corruption must be found, and nothing else; writes docs/gallery.md. About two minutes.
gallery: $(VENV)/.dev
	PYTHONPATH=. $(BIN)/python tests/gallery_score.py --write

# Every damaged dump must be judged right, by exactly the reasons expected, on PostgreSQL 18 and 15. Ten minutes.
gallery-dumps: $(VENV)/.dev
	PYTHONPATH=. $(BIN)/python tests/gallery_dumps/score.py --system

bench-baseline: $(VENV)/.dev
	$(BIN)/python benchmarks/baseline.py $(ARGS)

# What init costs beside one scan of every column of every table: two minutes, and building the tables.
bench-init: $(VENV)/.dev
	$(BIN)/python benchmarks/init.py $(ARGS)

bench-streams: $(VENV)/.dev
	$(BIN)/python benchmarks/streams.py $(ARGS)

# Size, rendering time and first paint of a page of 3,000 checks: half a minute.
bench-report: $(VENV)/.dev
	$(BIN)/python benchmarks/report.py

# What the page over 2,000 runs costs after each run, and how fast it is painted.
bench-index: $(VENV)/.dev
	$(BIN)/python benchmarks/index.py

# What the history of 2,000 nights costs: listing it, and one more run. Two minutes.
bench-history: $(VENV)/.dev
	$(BIN)/python benchmarks/history.py

# What a run of 30 checks on a small database takes, beside importing SQLAlchemy and sqlglot: a minute.
bench-startup: $(VENV)/.dev
	$(BIN)/python benchmarks/startup.py

# init, list, run and baseline of 400 tables and 12,000 checks, and baseline of 2,000 small tables: three minutes.
bench-many: $(VENV)/.dev
	$(BIN)/python benchmarks/many.py

# What an exact comparison of two tables of five million rows costs, beside counting them and beside reladiff.
bench-diff: $(VENV)/.dev
	$(BIN)/python benchmarks/diff.py --layout all --server both $(ARGS)
	$(BIN)/python benchmarks/diff_shapes.py

# The latency of a load of pgbench alone, beside runs, and beside guarded runs: four minutes.
bench-guest: $(VENV)/.dev
	$(BIN)/python benchmarks/guest.py $(ARGS)

# What proving a backup of 5,000,000 rows costs beside restoring it, and what the tape adds to a migration: five minutes.
bench-backup: $(VENV)/.dev
	$(BIN)/python benchmarks/backup.py $(ARGS)

bench-tape: $(VENV)/.dev
	$(BIN)/python benchmarks/tape.py $(ARGS)

# Pin what is installed now, without registry addresses.
constraints: $(VENV)/.dev
	$(BIN)/python -m pip freeze --exclude-editable --exclude kisaan-validate | grep -E '^[A-Za-z0-9_.-]+==' > constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
