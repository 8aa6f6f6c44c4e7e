# make run      set up everything and start Sleevenotes on http://127.0.0.1:8000 (SIMULATE=1: against a simulated internet)
# make test     set up everything and run all tests
# make check    format, lint, types, floors
# make bench B=import [HISTORY=file] [WORLD=file]   one benchmark; its last line is one JSON object
# make wheel    build an installable wheel into dist/
# make try-wheel   install it in an empty environment, start it there, back it up and restore it
# make lock     resolve the dependencies anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE_ARGS := $(if $(SIMULATE),--simulate) $(ARGS)

.PHONY: run test check format bench wheel try-wheel lock clean

run: $(VENV)/.run
	$(BIN)/sleevenotes serve $(SERVE_ARGS)

test: $(VENV)/.dev
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -q -n auto --dist loadfile --ignore=tests/journey --ignore=tests/browser
	$(BIN)/python -m pytest -q -n auto --dist loadfile tests/journey
	$(BIN)/python -m pytest -q tests/browser
endif

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev $(if $(filter matching,$(B)),$(VENV)/.peers)
	@test -n "$(B)" || { echo "say which: make bench B=import"; exit 2; }
	$(BIN)/python -m benches.$(B) $(if $(HISTORY),--history $(HISTORY)) $(if $(WORLD),--world $(WORLD)) $(if $(CASES),--cases $(CASES)) $(ARGS)

wheel: $(VENV)/.run
	rm -f dist/sleevenotes-*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

try-wheel: wheel
	.ci/wheel dist/sleevenotes-*.whl

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Sleevenotes needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "no virtual environment could be made: on Debian, apt install python3-venv"; exit 2; }

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-clients.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-dev.txt -r requirements-clients.txt
	@touch $@

# What a benchmark measures beside ours; too heavy for everybody's environment.
$(VENV)/.peers: requirements-peers.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-peers.txt
	@touch $@

# Versions and hashes only: no address of where a package came from.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock:
	$(LOCK) pyproject.toml requirements-build.in -o requirements.txt
	$(LOCK) --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --group clients -c requirements.txt -c requirements-dev.txt -o requirements-clients.txt
	$(LOCK) --group pyproject.toml:peers -c requirements.txt -c requirements-dev.txt -c requirements-clients.txt -o requirements-peers.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
