# One verb a task. Everything stands in .venv; `make run` and `make test` need Python 3.11 or newer and nothing else of ours.
.DEFAULT_GOAL := help
.ONESHELL:
.SHELLFLAGS := -eu -c
SHELL := /bin/sh
PY := .venv/bin/python

.PHONY: help studio run test test-unit fuzz check fmt bench soak docs telemetry evaluate lock clean

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: .venv/ready ## set everything up, then serve on API_HOST:API_PORT
	@$(PY) -m backend.web.build || echo "Going on without the pages; the API is complete without them."
	$(PY) -m backend.startup

studio: .venv/ready ## build the web pages, where their sources changed
	@$(PY) -m backend.web.build

test: .venv/ready-dev studio ## set everything up, then run every test
	@cores=$$($(PY) -c 'import os; print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)')
	# One more than cores, for most tests wait for servers and clocks; no more than four, for each has servers of its own.
	$(PY) -m pytest tests/ -n $$(( cores < 3 ? cores + 1 : 4 )) --dist=loadfile --no-loadscope-reorder

test-unit: .venv/ready-dev ## the tests without I/O
	@$(PY) -m pytest tests/unit

fuzz: .venv/ready-dev ## documents made wrong for every parser, for MINUTES (10)
	@end=$$(( $$(date +%s) + $${MINUTES:-10} * 60 ))
	while [ "$$(date +%s)" -lt "$$end" ]; do FUZZ_EXAMPLES=300 $(PY) -m pytest tests/fuzz -x -q; done

check: .venv/ready-dev ## ruff, mypy strict, the layers, the types of the pages
	@$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m backend.web.build --check

fmt: .venv/ready-dev ## format and mend what can be mended by itself
	@$(PY) -m ruff check --fix-only -q .
	$(PY) -m ruff format .

bench: .venv/ready-dev ## measure against the floors, as ratios in one run
	@OMP_NUM_THREADS=1 $(PY) -m bench

soak: .venv/ready-dev ## everything at once for MINUTES (30), while something breaks every half minute; needs the provider twin
	@$(PY) -m tests.acceptance.soak --minutes $(or $(MINUTES),30)

docs: .venv/ready-dev ## renew what the docs take from the code
	@$(PY) -m bench --write

telemetry: .venv/ready ## add what sends traces by OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT)
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements-telemetry.txt

evaluate: .venv/ready ## add the baselines that `tensoe evaluate` compares with (implicit)
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements-evaluate.txt

lock: .venv/ready-dev ## pin the requirements*.in with hashes
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.txt
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-dev.in -o requirements-dev.txt
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-telemetry.in -o requirements-telemetry.txt
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-evaluate.in -o requirements-evaluate.txt
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-studio.in -o requirements-studio.txt

clean: ## remove the virtual environment and caches; data stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist frontend/node_modules backend/web/studio

.venv/bin/python:
	@for p in $${PYTHON:-python3} python3.13 python3.12 python3.11; do
	  if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$p"; break; fi
	done
	if [ -z "$${found:-}" ]; then echo "Tensoe needs Python 3.11 or newer; install it, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; fi
	"$$found" -m venv .venv

.venv/ready: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing what Tensoe needs into .venv (about a minute, once) ..."
	$(PY) -m pip install -q --disable-pip-version-check -r requirements.txt
	$(PY) -m pip install -q --disable-pip-version-check --no-deps -e .
	touch .venv/ready

.venv/ready-dev: requirements-dev.txt .venv/ready
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	touch .venv/ready-dev
