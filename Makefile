# Two commands, each from a clean clone on a bare Debian machine:
#
#   make paper    environment, data, every table and figure   (SIZE=smoke|default|full)
#   make test     environment, data, lint, tests, wheel
#
# Both are incremental. PYTHON=/path/to/python chooses the interpreter (3.11 or newer).

PYTHON  ?= python3
SIZE    ?= default
# Workers of the test run: one per core of the smallest machine it must pass on.
WORKERS ?= 2
PYTEST  ?=

VENV    := .venv
BIN     := $(VENV)/bin
BENCH_VENV := .venv-bench
BENCH_BIN  := $(BENCH_VENV)/bin
# Arguments of the benchmark: see scripts/bench/run.py.
BENCH   ?=
PIP     := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt
FILES   := pyproject.toml constraints.txt
WHEEL_INPUTS := $(FILES) README.md LICENSE $(shell find qjax proofs -type f \
    -not -name '*.pyc' 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help paper test test-slow lint format data proofs wheel-check docs constraints clean \
    bench bench-constraints

help:
	@sed -n '3,6s/^# *//p' Makefile
	@echo 'also: make test-slow | lint | format | data | proofs | wheel-check | docs'
	@echo '      make bench | constraints | bench-constraints | clean'

paper: $(VENV)/paper.stamp data
	$(BIN)/python scripts/paper.py all --size $(SIZE)

# Type checker and wheel take a core each; only then do the tests take them all.
test: $(VENV)/test.stamp data
	$(MAKE) wheel-check & wheel=$$!; $(MAKE) lint; lint=$$?; wait $$wheel && exit $$lint
	$(BIN)/python -m pytest -m "not slow" --numprocesses $(WORKERS) --dist loadfile \
	    --durations 15 --quiet $(PYTEST)

test-slow: $(VENV)/test.stamp data
	XLA_FLAGS=--xla_cpu_multi_thread_eigen=false $(BIN)/python -m pytest -m slow \
	    --numprocesses $(WORKERS) --dist loadfile --durations 15 --quiet $(PYTEST)

# One command for people, pre-commit and CI.
lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The Coq proofs, and the record that makes their steps count as machine-checked.
# Optional: installs coq and libcoq-coquelicot (Debian, root) if they are missing.
proofs:
	$(PYTHON) scripts/compile_proofs.py --install

data: $(VENV)/paper.stamp
	@$(BIN)/python -c 'from qjax.data import fetch_fashion_mnist as f; print("data:", f())'
	@$(BIN)/python -c 'from qjax.data import fetch_calibrations as f; print("data:", f())'

# Build the wheel, install it where nothing else is, and use it.
wheel-check: build/wheel-check.stamp

build/wheel-check.stamp: $(VENV)/test.stamp scripts/smoke_wheel.py $(WHEEL_INPUTS)
	rm -rf build/wheel build/wheel-venv
	$(PIP) wheel --quiet --no-deps --wheel-dir build/wheel .
	$(BIN)/python -m venv build/wheel-venv
	build/wheel-venv/bin/python -m pip --disable-pip-version-check install --quiet \
	    --constraint constraints.txt build/wheel/qjax_simulator-*.whl
	cd build && wheel-venv/bin/python -I ../scripts/smoke_wheel.py
	rm -rf build/wheel-venv
	touch $@

docs: $(VENV)/test.stamp
	$(INSTALL) --editable '.[docs]'
	$(BIN)/mkdocs build --site-dir build/site

# This project and its peers side by side; BENCH='--workloads W1 --rounds 3' for less.
bench: $(BENCH_VENV)/bench.stamp
	$(BENCH_BIN)/python scripts/bench/run.py $(BENCH)
	$(BENCH_BIN)/python scripts/bench/report.py
	$(BENCH_BIN)/python scripts/bench/kernels.py
	OPENBLAS_NUM_THREADS=1 $(BENCH_BIN)/python scripts/bench/mps_kernels.py

# Names and versions of the environment of the peers, resolved afresh.
bench-constraints:
	@PYTHON='$(PYTHON)' bash scripts/make_venv.sh build/bench-venv
	build/bench-venv/bin/python -m pip --disable-pip-version-check install \
	    --quiet --editable '.[bench]'
	{ echo '# Written by `make bench-constraints`: names and versions, nothing else.'; \
	  build/bench-venv/bin/python -m pip --disable-pip-version-check freeze \
	      --exclude-editable | grep -E '^[A-Za-z0-9._-]+==[^ ]+$$'; } > constraints.tmp
	mv constraints.tmp scripts/bench/constraints.txt
	rm -rf build/bench-venv

# Names and versions of everything the extras bring, resolved afresh.
constraints: $(VENV)/test.stamp
	rm -rf build/constraints-venv
	$(BIN)/python -m venv build/constraints-venv
	build/constraints-venv/bin/python -m pip --disable-pip-version-check install \
	    --quiet --editable '.[all]'
	{ echo '# Written by `make constraints`: names and versions, nothing else.'; \
	  build/constraints-venv/bin/python -m pip --disable-pip-version-check freeze \
	      --exclude-editable | grep -E '^[A-Za-z0-9._-]+==[^ ]+$$'; } > constraints.tmp
	mv constraints.tmp constraints.txt
	rm -rf build/constraints-venv

clean:
	rm -rf $(VENV) $(BENCH_VENV) build dist site .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# A stamp, since a killed run may leave an interpreter without pip.
$(VENV)/venv.stamp:
	@PYTHON='$(PYTHON)' bash scripts/make_venv.sh $(VENV)
	@touch $@

$(VENV)/paper.stamp: $(VENV)/venv.stamp $(FILES)
	$(INSTALL) --editable '.[paper]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/venv.stamp $(FILES)
	$(INSTALL) --editable '.[test,network,lint]'
	@touch $@

$(BENCH_VENV)/venv.stamp:
	@PYTHON='$(PYTHON)' bash scripts/make_venv.sh $(BENCH_VENV)
	@touch $@

$(BENCH_VENV)/bench.stamp: $(BENCH_VENV)/venv.stamp pyproject.toml \
    scripts/bench/constraints.txt
	$(BENCH_BIN)/python -m pip --disable-pip-version-check install --quiet \
	    --constraint scripts/bench/constraints.txt --editable '.[bench]'
	@touch $@
