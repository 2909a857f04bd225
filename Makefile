# make run    set everything up and start Carousel        make check     format, lint, types, import contracts, question bank
# make test   set everything up and run every test        make bench     measured times beside their targets
# make format put the code in the house format            make pictures  take the pictures under docs/pictures anew
.DEFAULT_GOAL := help
.PHONY: help run test check format bench pictures clean

VENV := .venv
BIN := $(VENV)/bin
# The first Python of these that is 3.11 or newer. Say PYTHON=/path/to/python to choose another.
PYTHON ?= $(shell for p in python3 python python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The tests' Chromium: one that is there, else Playwright's, else Debian's package.
CHROMIUM = CAROUSEL_CHROMIUM="$$($(BIN)/python tests/browser/find_chromium.py)" && export CAROUSEL_CHROMIUM

help:
	@sed -n 's/^# //; /^make /p' $(MAKEFILE_LIST)

run: $(VENV)/installed
	@exec $(BIN)/python -m quiz serve

# Two files of tests at a time; then the browser tests in the same way, by themselves, as each drives a server, two workers and a Chromium.
test: $(VENV)/installed-dev
	@$(CHROMIUM) && $(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(BIN)/python -m pytest -n 2 --dist loadfile -m "not browser" && $(BIN)/python -m pytest -n 2 --dist loadfile -m browser)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m questions check --strict

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What a person waits for in a browser, then the cell and the runs by themselves: both, also when the first misses a target.
bench: $(VENV)/installed-dev
	@$(CHROMIUM) && $(if $(ARGS),$(BIN)/python -m tests.bench $(ARGS),{ $(BIN)/python -m tests.bench; missed=$$?; $(BIN)/python -m sandbox bench && exit $$missed; })

pictures: $(VENV)/installed-dev
	@$(CHROMIUM) && $(BIN)/python -m tests.browser.take_pictures $(ARGS)

# Tool caches and the virtual environment; never data/.
clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# pip compiles one file after the other, which takes longer than all else it does: here every core compiles, as pip would, what compiles.
COMPILE = $(BIN)/python -m compileall -qq -j 0 $(VENV) || true

# The stamps are newer than what they were installed from, so an unchanged checkout installs nothing.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Carousel needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || true)." \
		"Install one, or say which: make run PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Carousel needs Python 3.11 or newer; PYTHON=$(PYTHON) is $$("$(PYTHON)" --version 2>&1)." >&2; exit 1; }
	@echo "Creating $(VENV) with $$("$(PYTHON)" --version) ..."
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "python -m venv failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/installed: requirements.txt constraints.txt | $(VENV)/bin/python
	@echo "Installing requirements.txt (a minute or more the first time) ..."
	@$(PIP) install --no-compile -r requirements.txt
	@$(COMPILE)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing requirements-dev.txt ..."
	@$(PIP) install --no-compile -r requirements-dev.txt
	@$(COMPILE)
	@touch $@
