# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PY ?= 3.11
RESOLUTION_lowest := lowest-direct
RESOLUTION_newest := highest

.PHONY: demo test test-all test-lowest test-newest lint bench docs dist clean

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("prismae needs Python 3.11 to 3.13, and $(PYTHON) is %d.%d: try make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(INSTALLED)  ## fit ED-GCAE on simulated pulses, score it, write the report
	$(BIN)/prismae fit ed-gcae pulses --steps 2000 --batch 64 --precision bf16 \
	  -p nodes=stratified -p n_nodes=16 --seed 0 --out runs/demo
	$(BIN)/prismae report "$$(ls -td runs/demo/ed-gcae-pulses-* | head -n 1)"
	@echo
	@echo "Open the report in a browser. What to look at: which latents are live (spread), how the waveform changes"
	@echo "when a live latent is moved (traversals: one should change the duty cycle, one the frequency), and the"
	@echo "scores in the two protocols, each beside its ceiling and its chance level."

test: $(INSTALLED)  ## the default suite; one thread, since what it trains is too small for two
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q

test-all: $(INSTALLED)  ## with the slow tests
	$(BIN)/python -m pytest -q -m "slow or not slow"

test-lowest test-newest: test-%:  ## the lowest and the newest versions that pyproject.toml admits, by uv; PY=3.12 for another Python
	uv venv --quiet --clear --python $(PY) .venv-$*
	uv pip install --quiet --python .venv-$*/bin/python --resolution $(RESOLUTION_$*) \
	  --only-binary :all: --no-binary prismae -e '.[dev]'
	OMP_NUM_THREADS=1 .venv-$*/bin/python -m pytest -q

lint: $(INSTALLED)
	$(BIN)/ruff check src tests benchmarks plans examples tools
	$(BIN)/ruff format --check src tests benchmarks plans examples tools
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/lint-imports

bench: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/gcae_step.py

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist:  ## wheel and source, checked as an index would
	rm -rf dist
	uv build --quiet
	uvx --quiet twine check --strict dist/*

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest site build dist
