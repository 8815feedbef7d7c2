# Everything on a fresh machine: `make demo` shows it, `make test` checks it.
VENV   := .venv
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest
# Another compiler makes other code.
BASELINE = $(if $(filter 12.2.%,$(shell arm-none-eabi-gcc -dumpversion 2>&1)),baselines,none)
# Tests start Python hundreds of times, and where it may not keep what it has compiled, they take twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint unit nightly emulated matrix lowest newest bench environments models docs paper clean

help:           ## this list
	@sed -n 's/^\([a-z ]*\): .*##/\1\t/p' $(MAKEFILE_LIST)

demo: setup     ## set up, then test the example firmware on the emulated board
	@$(PYTEST) --board=emulated --hil-baseline=$(BASELINE)

test: lint unit emulated     ## set up, then every check: style, types, host tests, emulated board

lint: setup     ## style, types and formats
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" .ci/lint

# A third worker has something to do while others wait for a board that is mute.
unit: setup     ## the tests that need no board
	@$(PYTEST) -n 3 --dist worksteal --timeout 300 tests

nightly: setup  ## the tests that take minutes: accidents, fuzzing, random networks by the thousand
	@$(PYTEST) -n 2 --dist worksteal --timeout 3600 -m nightly tests

emulated: setup ## the suite on the emulated board, one emulator for each of two workers
	@$(PYTEST) -n 2 --board=emulated --hil-baseline=$(BASELINE)

matrix: setup   ## the suite on every emulated core
	@$(PYTEST) -n 2 --board=emulated --target=all --hil-baseline=$(BASELINE)

lowest newest: setup  ## the tests with the lowest, or the newest, versions of the dependencies that the metadata allow
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PYTHON) -m tox run -e $@

# Networks to measure beside those of models/ and the bench's own set, such as the four of MLPerf Tiny.
NETWORKS ?= $(wildcard ../shared/data/mlperf-tiny/*.tflite)

bench: setup    ## instructions, sizes and streaming rate against their goals, the engines side by side, the plugin's cost, serial lines, the report, the history, workers
	@$(VENV)/bin/hil bench --model all --set $(NETWORKS)
	@$(PYTHON) .ci/plugin_cost.py
	@$(PYTHON) .ci/report_cost.py
	@$(PYTHON) .ci/line_use.py
	@$(PYTHON) .ci/history_time.py
	@$(PYTHON) .ci/workers_gain.py

environments: setup  ## renew firmware/environments.ini after a change of harness/tflm_hil/targets
	@$(PYTHON) -m tflm_hil.engines.environments_file firmware/environments.ini

.PHONY: setup
setup:
	@.ci/setup $(VENV)

# Training has seeds of its own: the networks have seen none of the committed recordings, with which they are tested.
TRAINING = build/recordings
SIMULATE = $(PYTHON) -m recordings.simulate --seed 20000 --sessions 300 --continuous 40

models: setup   ## simulate training data, then train and quantize the example models again
	@$(SIMULATE) gesture --output $(TRAINING)/gesture
	@$(SIMULATE) five_gestures --output $(TRAINING)/five_gestures
	@$(VENV)/bin/hil train gesture --recordings $(TRAINING)/gesture
	@$(VENV)/bin/hil quantize gesture --prune 0.25 --prune 0.5
	@$(VENV)/bin/hil train gesture_cnn --recordings $(TRAINING)/gesture --arch cnn
	@$(VENV)/bin/hil quantize gesture_cnn --variants int8
	@$(VENV)/bin/hil train five_gestures --recordings $(TRAINING)/five_gestures
	@$(VENV)/bin/hil quantize five_gestures --variants int8

docs: setup     ## renew what docs/ has from the code
	@$(PYTHON) -m tflm_hil.compiler.operators.table docs/engines.md
	@$(PYTHON) -m tflm_hil.report.paper.page docs

paper: setup    ## train the paper's network, and renew docs/paper.md from what comes out
	@cd examples/paper && for step in "train paper" "quantize paper --prune 0.5" "report --paper paper --out ../../docs"; do $(CURDIR)/$(VENV)/bin/hil $$step || exit; done

clean:          ## remove all that was built; the virtual environment and the history stay
	rm -rf .pio reports build
	[ ! -d .hil ] || find .hil -mindepth 1 -maxdepth 1 ! -name 'history.*' -exec rm -rf {} +
