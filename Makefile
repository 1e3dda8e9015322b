# `make help` lists the targets. Everything runs from a virtual environment that `make` builds from the lock.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.8
VENV := .venv
DOCS_VENV := .venv-docs
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A company's proxy signs with a certificate that the machine trusts and uv's own list does not have.
export UV_SYSTEM_CERTS := true

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z0-9_-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(STAMP) ## Make the virtual environment from the lock

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Stoker needs Python 3.11 or later, found " + sys.version.split()[0] + ": set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.PHONY: lock
lock: venv ## Resolve the dependencies anew into the three lock files
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -c requirements-dev.lock -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 --group docs -o requirements-docs.lock

.PHONY: generate
generate: venv ## Write the CRD, the reference pages, the dashboards, the rules and the parts of the chart that follow from the models
	$(BIN)/python -m stoker.api.schema
	$(BIN)/python -m stoker.telemetry
	$(BIN)/python -m tests.unit.chart.generate

.PHONY: format
format: venv ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lint
lint: venv ## Lint, types, layers, generated files, links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy operator runtime-image tests e2e bench
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.checks.generated
	$(BIN)/python -m tests.unit.chart.generate --check
	$(BIN)/python -m tests.checks.links

.PHONY: test-unit
test-unit: venv ## Unit and property tests, in seconds
	$(BIN)/pytest tests/unit

.PHONY: test-integration
test-integration: venv ## Tests against a real kube-apiserver and etcd
	$(BIN)/pytest tests/integration

.PHONY: test-e2e
test-e2e: venv ## Tests on the real one-node cluster (root, Linux)
	$(BIN)/python -m e2e.cluster packages
	$(BIN)/pytest e2e

.PHONY: test-soak
test-soak: venv ## Streams that last as long as is promised, simulated ones and real vLLM's, MINUTES=30 (root, Linux)
	STOKER_SOAK_MINUTES=$(or $(MINUTES),30) $(BIN)/pytest e2e/operator/test_a_long_stream.py e2e/operator/soak_real_vllm.py -v

.PHONY: test-promises
test-promises: venv ## What must never cut a request, as often as is promised and with operators killed in its midst (half an hour)
	STOKER_PROMOTIONS=50 STOKER_KILLS=1 $(BIN)/pytest e2e/operator/test_warm_replicas.py e2e/operator/test_rollouts.py -v

.PHONY: test-upgrade
test-upgrade: venv ## Replace the operator of an earlier commit by this one and back, FROM=COMMIT (root, Linux; minutes)
	@test -n "$(FROM)" || { echo "name the earlier version: make test-upgrade FROM=COMMIT"; exit 2; }
	checkout=$$(mktemp -d); code=0; git worktree add --quiet --detach $$checkout $(FROM); \
		STOKER_EARLIER=$$checkout $(BIN)/pytest e2e/chart/test_an_earlier_version.py -v || code=$$?; \
		git worktree remove --force $$checkout; exit $$code

.PHONY: test
test: venv ## Every tier that this machine can run; says which it skipped and why
	$(BIN)/python -m tests.tiers

.PHONY: bench-operator
bench-operator: venv ## Measure the operator with a large fleet, ARGS="--models 1000" (root, Linux; about 20 minutes)
	$(BIN)/python -m bench.operator_scale $(ARGS)

.PHONY: bench-fetch
bench-fetch: venv ## Measure a download beside curl and aria2, ARGS="--rounds 5" (Linux; minutes)
	$(BIN)/python -m bench.fetch $(ARGS)

.PHONY: bench-agent
bench-agent: venv ## Measure the agent beside the engine alone and HAProxy, ARGS="--streams 1000" (Linux; three minutes)
	$(BIN)/python -m bench.agent $(ARGS)

.PHONY: bench-coldstart
bench-coldstart: venv ## Measure each phase of real vLLM's start on the CPU, ARGS="--graphs" (root, Linux; minutes)
	$(BIN)/python -m bench.coldstart $(ARGS)

.PHONY: bench-signals
bench-signals: venv ## Measure how the load of a large fleet is read, ARGS="--replicas 5000" (a minute)
	$(BIN)/python -m bench.signals $(ARGS)

.PHONY: bench-autoscale
bench-autoscale: venv ## Compare scaling policies on every workload, ARGS="--quick" (half an hour; --quick: minutes)
	$(BIN)/python -m bench.autoscaling $(ARGS)

.PHONY: bench-live
bench-live: venv ## Scale on a real cluster in real time, ARGS="--warm 1" (root, Linux; about ten minutes)
	$(BIN)/python -m bench.live $(if $(TRACE),--trace $(TRACE)) $(if $(URL),--url $(URL)) $(ARGS)

.PHONY: docs
docs: $(DOCS_VENV)/.installed ## Build the documentation's site into site/, strictly
	$(DOCS_VENV)/bin/mkdocs build --strict

# An environment of its own: what renders pages has no place among what tests run with.
$(DOCS_VENV)/.installed: requirements-docs.lock $(STAMP)
	$(PYTHON) -m venv $(DOCS_VENV)
	$(BIN)/uv pip sync --quiet --python $(DOCS_VENV)/bin/python --require-hashes requirements-docs.lock
	@touch $@

.PHONY: bench-fidelity
bench-fidelity: venv ## Compare the simulator with real vLLM on the CPU, ARGS="--rounds 3" (root, Linux; minutes)
	$(BIN)/python -m bench.fidelity $(ARGS)

# From the command line alone: a variable of the shell that happens to have the name chooses no cluster.
given = $(if $(filter command,$(origin $1)),--$2 "$($1)")

.PHONY: up
up: venv ## Start a Kubernetes with Stoker and a model, and stream an answer (root, Linux); on yours: CONTEXT=name VALUES=file
	@$(BIN)/python -m e2e.up $(call given,CONTEXT,context) $(call given,VALUES,values) $(call given,MODEL,model)

.PHONY: down
down: venv ## Remove what `make up` started on this machine, and everything that it left
	$(BIN)/python -m e2e.cluster down

.PHONY: clean
clean: ## Remove what make made in this folder
	rm -rf $(VENV) $(DOCS_VENV) site dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
