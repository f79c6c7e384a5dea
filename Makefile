# The same few commands locally and in CI. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help up down purge check format test soak bench lock

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.run  ## set everything up, start the cluster and run the sample application
	@$(PYTHON) -m cluster.main up

down: $(VENV)/.run  ## stop the cluster and undo what it did to this machine; its state stays
	@$(PYTHON) -m cluster.main down

purge: $(VENV)/.run  ## down, and delete all state, certificates and logs
	@$(PYTHON) -m cluster.main down --purge

check: $(VENV)/.dev  ## format, lint, types, layers
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports

format: $(VENV)/.dev  ## format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

test: $(VENV)/.dev  ## all tests: unit, integration, end to end, clients
	@$(PYTHON) -m cluster.main packages --tests
	$(PYTHON) -m pytest -m "not soak" -n 2 --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

soak: $(VENV)/.dev  ## the slow fault and load tests
	@$(PYTHON) -m cluster.main packages --tests
	$(PYTHON) -m pytest -m soak $(PYTEST_ARGS)

bench: $(VENV)/.dev  ## measure, beside what limits each measure, in one run
	@$(PYTHON) -m cluster.main packages --tests
	$(PYTHON) -m bench $(BENCH_ARGS)

lock: $(VENV)/.dev  ## resolve the dependencies anew and lock them with hashes
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra build pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

$(VENV)/bin/python:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Installing python3-venv"; apt-get -q update >/dev/null && apt-get -q install -y python3-venv >/dev/null; }
	python3 -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked dependencies into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing the locked development dependencies into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
