# Needs make, Python 3.11 or newer and pip; `make lock` also needs uv.
#
#   make demo              sample writers through the real worker on an embedded Redis and MongoDB
#   make test              the tests; make test ARGS="-k settle -x -n 0"
#   make chaos             kills, freezes, outages and poison; make chaos ARGS="--kills 1000 --seed 7 --readme"
#   make eval              how well learning does, beside its targets; make eval ARGS="--seeds 500:530 --misses"
#   make bench             what it costs, against floors and targets; make bench ARGS=--quick
#   make ci                what .ci/run runs: lint, types, tests
#   make chart             what of helm/learnsvc follows from the settings and the comments in its values
#   make lock              resolve pyproject.toml into requirements*.txt; make lock UPGRADE=--upgrade

PYTHON ?= python3
ARGS ?=
UPGRADE ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# No annotations, header or index options: the lock files name no index and no machine.
COMPILE := uv pip compile --no-strip-extras --quiet --universal --generate-hashes --python-version 3.11 \
	--no-config --no-header --no-annotate $(UPGRADE)

.PHONY: demo test chaos eval bench lint types ci chart lock clean
.DELETE_ON_ERROR:

demo: $(READY)
	@$(BIN)/learnsvc demo $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

chaos: $(READY)
	@$(BIN)/python -m tests.chaos $(ARGS)

eval: $(READY)
	@$(BIN)/python -m tests.evaluation $(ARGS)

bench: $(READY)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

ci: lint types
	@$(MAKE) --no-print-directory test

chart: $(READY)
	@$(BIN)/python -m tests.helm.generate

lock:
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra embedded --extra dev -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) .compiled .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find schemas service tests -name __pycache__ -type d -prune -exec rm -rf {} +
	find schemas service -name '*.so' -exec rm {} +
	rm -f *__mypyc.*.so

# The environment is made again only when what it is made from has changed.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "learnsvc needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
