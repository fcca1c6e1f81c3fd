# Needs only Python ≥ 3.11 and make: everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIBRARIES := .venv-libraries
PEERS := .venv-bench

.PHONY: help demo test check format docs conformance simulate bench bench-kernels clean

help:
	@echo "make demo    install into $(VENV) and evaluate the sample data"
	@echo "make test    install what tests need, check style and types, run all tests"
	@echo "make check   style and types alone"
	@echo "make docs    write the generated parts of the README"
	@echo "make conformance   install the libraries and compare with them as they are"
	@echo "make simulate   how often intervals cover and gates are wrong, into lossctl/docs/intervals.md"
	@echo "make bench   install peers, race them over 9 GB of data, into lossctl/docs/speed.md"
	@echo "make bench-kernels   time each loss alone, and compare with the run before"
	@echo "make clean   remove $(VENV) and caches"

$(VENV)/demo: pyproject.toml
	@echo "installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q lossctl  # so that the first run is as quick as the next
	@touch $@

$(VENV)/test: pyproject.toml
	@echo "installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@$(BIN)/python -m compileall -q lossctl
	@touch $@ $(VENV)/demo

demo: $(VENV)/demo
	@echo '$$ lossctl eval sample_data/diabetes_ridge.csv -l mae -l rmse -l huber:delta=50 --by age_band'
	@$(BIN)/lossctl eval sample_data/diabetes_ridge.csv -l mae -l rmse -l huber:delta=50 --by age_band

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	$(BIN)/pytest -n auto

format: $(VENV)/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/test
	$(BIN)/python -m tests.docs --write

# The libraries pull in gigabytes, and so have an environment of their own.
$(LIBRARIES)/done: pyproject.toml tests/reference/requirements.txt
	@echo "installing the libraries into $(LIBRARIES) …"
	@$(PYTHON) -m venv $(LIBRARIES)
	@$(LIBRARIES)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/reference/requirements.txt --editable .
	@touch $@

conformance: $(LIBRARIES)/done
	OMP_NUM_THREADS=1 $(LIBRARIES)/bin/python -m tests.reference.conformance

simulate: $(VENV)/test
	$(BIN)/python -m tests.simulate --write

# The peers have an environment of their own, too.
$(PEERS)/done: pyproject.toml tests/bench/requirements.txt
	@echo "installing the peers into $(PEERS) …"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/bench/requirements.txt --editable '.[gzip]'
	@touch $@

bench: $(PEERS)/done
	@$(PEERS)/bin/python -m compileall -q lossctl  # what changed is not to be compiled in the race
	$(PEERS)/bin/python -m tests.bench --write

bench-kernels: $(PEERS)/done
	$(PEERS)/bin/pytest tests/bench/kernels.py -q -W default --benchmark-max-time=0.2 \
		--benchmark-autosave --benchmark-compare \
		--benchmark-sort=fullname --benchmark-columns=min,median,rounds

clean:
	rm -rf $(VENV) $(LIBRARIES) $(PEERS) .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
