# Two commands are enough: `make demo` and `make test`. Each sets the machine up first when something is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(PATH)

scripts := $(wildcard tools/*.sh) .ci/run
python_paths := compiler tests $(wildcard tools/*.py)

.PHONY: help setup demo test test-fast lint format bench goldens requirements clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what this machine lacks (the other targets do it by themselves)
	@tools/setup.sh

demo: setup ## Build the shipped images for amd64 and arm64 and show what was built
	@tools/demo.sh

test: lint ## Everything: lint, types, and all tests with real tools
	@pytest -n auto --maxprocesses 4 --dist loadgroup

test-fast: setup ## The tests that need no container (seconds)
	@pytest -n auto -m 'not integration'

lint: setup ## Ruff, mypy and shellcheck
	@ruff check $(python_paths)
	@ruff format --check $(python_paths)
	@mypy
	@MYPYPATH=compiler:tests/integration mypy tests/integration/support tests/integration/conftest.py tools
	@shellcheck -x $(scripts)

format: setup ## Mend what ruff can mend
	@ruff check --fix $(python_paths)
	@ruff format $(python_paths)

bench: setup ## Measure speed, print ratios
	@python -m tests.bench

goldens: setup ## Renew the golden files; review them with git diff
	@pytest -n auto -m 'not integration' --snapshot-update

requirements: ## Renew requirements/dev.txt (needs uv)
	@uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --extra dev --extra lint --custom-compile-command 'make requirements' \
	  --output-file requirements/dev.txt pyproject.toml requirements/dev.in

clean: ## Remove everything that was generated, the environment included
	@rm -rf .venv .tools dist out/build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find compiler tests -name __pycache__ -prune -exec rm -rf {} +
