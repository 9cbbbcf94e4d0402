# Everything a developer or an operator does, by name. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start the program hundreds of times: what Python compiled is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
PROCESSES ?= 3
SPREAD = --numprocesses $(PROCESSES) --dist

.PHONY: help install run test check faults bench golden screenshots requirements chromium perl-mail pgbouncer
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

install: $(VENV)/.run ## install the product into .venv

run: install ## start everything on this machine, with demo data
	$(BIN)/integration-alerts run --demo

# In several processes, each with a PostgreSQL of its own; the tests of a file stay together, because
# they share installations. Browsers apart: once Playwright's event loop runs in a process, Django
# refuses its database there. They add nothing to the coverage.
test: $(VENV)/.dev $(VENV)/.browser chromium perl-mail ## all tests but the long ones
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -m "not long" --cov --cov-report= \
	  $(or $(TESTS),$(SPREAD) loadfile --no-loadscope-reorder --ignore=tests/browser)
	$(if $(TESTS),,$(BIN)/python -m pytest $(SPREAD) worksteal tests/browser)
	$(if $(TESTS),,$(BIN)/coverage report)
	$(if $(TESTS),,$(BIN)/coverage report --include='*/rules/*' --fail-under=100)

check: $(VENV)/.dev ## style, types, layers, documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	DATA_DIR=$(VENV)/check SECRET_KEY=check $(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/check.py

faults: $(VENV)/.dev pgbouncer ## the long tests: crashes and load (minutes)
	$(BIN)/python -m pytest -m long

bench: $(VENV)/.dev ## measure speed (20 minutes); PARTS="storm sweep" measures some of it
	$(BIN)/python -m benchmarks $(PARTS)

golden: $(VENV)/.dev ## write the golden mails of tests/golden anew
	$(BIN)/python -m tests.golden_mails

screenshots: $(VENV)/.dev chromium ## make the pictures of docs/pictures from the demo
	$(BIN)/python docs/screenshots.py

# Extras are kept: old versions of pip take no pin of `name` for a pin of `name[extra]`.
requirements: $(VENV)/.dev ## pin the newest versions, with hashes and without addresses
	cd requirements && for set in run dev; do ../$(BIN)/uv pip compile --quiet --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-strip-extras --upgrade \
	  $$(test $$set = run && echo ../pyproject.toml || echo --constraint run.txt) \
	  $$set.in --output-file $$set.txt; done

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/pip requirements/run.txt pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# axe, html-validate, caniemail and mailparser, for the tests alone: with the npm of the node wheel, in .venv.
$(VENV)/.browser: $(VENV)/.dev tests/browser/tools/package.json tests/browser/tools/package-lock.json
	@mkdir -p $(VENV)/browser
	cp tests/browser/tools/package.json tests/browser/tools/package-lock.json $(VENV)/browser/
	cd $(VENV)/browser && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Debian's Chromium where it is missing and may be installed; elsewhere the browser tests fail and
# say what to do.
chromium:
	@if ! command -v chromium > /dev/null && command -v apt-get > /dev/null; then \
	  if test "$$(id -u)" != 0; then sudo="sudo -n"; fi; \
	  $$sudo apt-get update -qq && \
	  $$sudo apt-get install -y -qq --no-install-recommends chromium fonts-liberation; \
	fi || true

# A mail parser that is not Python's, for tests/unit/test_mail_parsers.py; as above.
perl-mail:
	@if ! perl -MEmail::MIME -e 1 2> /dev/null && command -v apt-get > /dev/null; then \
	  if test "$$(id -u)" != 0; then sudo="sudo -n"; fi; \
	  $$sudo apt-get update -qq && \
	  $$sudo apt-get install -y -qq --no-install-recommends libemail-mime-perl; \
	fi || true

# For tests/faults/test_pgbouncer.py; as above.
pgbouncer:
	@if ! command -v pgbouncer > /dev/null && ! test -x /usr/sbin/pgbouncer && command -v apt-get > /dev/null; then \
	  if test "$$(id -u)" != 0; then sudo="sudo -n"; fi; \
	  $$sudo apt-get update -qq && \
	  $$sudo apt-get install -y -qq --no-install-recommends pgbouncer; \
	fi || true
