# Two commands matter: `make run` and `make test`. Both need nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export NO_MKDOCS_2_WARNING = 1

.PHONY: pictures run test test-telegram test-squid docs lint types contracts suite branches test-long mutants coverage bench soak clean

run: $(VENV)/.runtime-installed  ## the daemon with a live table; without keys, on the sandbox
	@$(BIN)/kos run --live

test: lint types contracts docs suite  ## all that must be green before a commit

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-installed
	$(BIN)/mypy

contracts: $(VENV)/.dev-installed
	$(BIN)/lint-imports

suite: $(VENV)/.dev-installed
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The tests of the rooms that the gate watches, and where their coverage is counted.
GATED = tests/domain tests/storage

branches: $(VENV)/.dev-installed  ## the tests of domain and storage; every branch of both, or it fails
	rm -rf build/branches && mkdir -p build/branches
	COVERAGE_FILE=build/branches/.coverage $(BIN)/coverage run --rcfile=tests/branches.ini \
		-m pytest -n 2 --dist loadfile $(GATED)
	COVERAGE_FILE=build/branches/.coverage $(BIN)/coverage combine --rcfile=tests/branches.ini -q
	COVERAGE_FILE=build/branches/.coverage $(BIN)/coverage report --rcfile=tests/branches.ini

test-long: $(VENV)/.dev-installed  ## property tests at random, ten times the examples; about half an hour
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2 -o timeout=3600 \
		-m 'hypothesis and not squid and not emulator'

BASE ?= main
ROOMS ?=
COUNT ?= 60
FLOORS ?= kos/domain/offers=95 kos/domain/books=95 kos/domain/opportunities=95
mutants: $(VENV)/.dev-installed  ## wrong lines in what changed since BASE, or in ROOMS=all: are they noticed?
	@$(BIN)/python -m tools.mutants $(ROOMS) --base $(BASE) --count $(COUNT) $(if $(SEED),--seed $(SEED)) \
		$(addprefix --floor-of=,$(FLOORS)) $(addprefix --wide=,$(WIDE))

test-squid: $(VENV)/.dev-installed  ## the proxy pool against squid, where it is installed
	$(BIN)/python -m pytest -m squid tests/squid

test-telegram: $(VENV)/.dev-installed  ## the bot's tests on a Telegram emulator by other authors; needs npm
	$(BIN)/python -m pytest -m emulator -o timeout=600

coverage: $(VENV)/.dev-installed  ## the suite again, counting what it reaches in every process
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

pictures: $(VENV)/.dev-installed  ## the docs' pictures, taken of the real page; wants chromium
	$(BIN)/python docs/make_pictures.py

docs: $(VENV)/.dev-installed  ## the docs site into site/; a dead link fails
	$(BIN)/mkdocs build --quiet

bench: $(VENV)/.dev-installed  ## every benchmark, JSON on stdout; slow
	@for b in $(filter-out benchmarks/soak.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$b" >&2; $(BIN)/python $$b || exit 1; done

soak: $(VENV)/.dev-installed  ## a simulated day in 24 minutes: memory, open files, warnings, log volume
	$(BIN)/python benchmarks/soak.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime-installed: $(VENV)/bin/python setup.cfg constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[telegram,charts]'
	@touch $@

$(VENV)/.dev-installed: $(VENV)/bin/python setup.cfg constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,telegram,charts]'
	@touch $@ $(VENV)/.runtime-installed

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .emulator .coverage*
