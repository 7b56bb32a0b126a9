# One target per thing that a contributor does. Each makes .venv and installs what it needs first.
# ARGS is handed on: make test ARGS="-k quorum", make demo ARGS="--help".

VENV := .venv
PYTHON_IN_VENV := $(VENV)/bin/python
PROTOS := $(sort $(wildcard proto/moot/v1/*.proto))
PROTOC = $(PYTHON_IN_VENV) -m grpc_tools.protoc -Iproto

.PHONY: help install demo test mutants check check-format check-lint check-types check-imports check-proto format proto models bench clean
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | awk -F '|' '{ printf "%-16s %s\n", $$1, $$2 }'

# A stamp says what .venv holds; a change of the dependencies or of the set-up makes it old.
$(VENV)/.installed-%: pyproject.toml deploy/setup.sh
	@deploy/setup.sh $*

install: $(VENV)/.installed-run ## .venv with the command `moot`: .venv/bin/moot
	@echo "installed: $(VENV)/bin/moot"

demo: $(VENV)/.installed-run ## five nodes on this machine answer questions together
	@$(VENV)/bin/moot demo $(ARGS)

# Plain pytest is one process; here each core has one, up to four, and runs whole files, whose tests share what they start.
# The tests start hundreds of Python processes more, and what is not kept compiled each of them would compile anew.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.installed-dev ## all tests, in as many processes as there are cores; ARGS="-n 0": in one
	@$(PYTHON_IN_VENV) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

mutants: $(VENV)/.installed-dev ## break one rule at a time, and see which tests and simulated runs notice
	@$(PYTHON_IN_VENV) -m tests.mutations $(ARGS)

check: check-format check-lint check-types check-imports check-proto ## format, lint, types, import contracts, generated code
	@echo "check: all passed"

check-format: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff format --check .

check-lint: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff check .

check-types: $(VENV)/.installed-dev
	@$(VENV)/bin/mypy

check-imports: $(VENV)/.installed-dev
	@$(VENV)/bin/lint-imports --no-logo

check-proto: $(VENV)/.installed-dev
	@rm -rf build/proto && mkdir -p build/proto
	@$(PROTOC) --python_out=build/proto --pyi_out=build/proto $(PROTOS)
	@diff -r -x '*.proto' -x __init__.py -x __pycache__ build/proto proto || \
		{ echo "the generated code is not what the .proto files give: run make proto and commit what changes"; exit 1; }

format: $(VENV)/.installed-dev ## format the code and sort its imports
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

proto: $(VENV)/.installed-dev ## generate code from proto/moot/v1/*.proto
	@$(PROTOC) --python_out=proto --pyi_out=proto $(PROTOS)

models: $(VENV)/.installed-train ## train the reference models anew (90 minutes on two idle cores; installs PyTorch)
	@$(PYTHON_IN_VENV) -m node.lab.training $(ARGS)

bench: $(VENV)/.installed-bench ## measure decisions and the model engine; only one of them: ARGS=decisions, ARGS=engine
	@$(PYTHON_IN_VENV) -m node.lab.bench $(ARGS)

clean: ## remove .venv, build output and tool caches; the compiled llama.cpp in ~/.cache/moot stays
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find node coordinator proto tests -name __pycache__ -type d -prune -exec rm -rf {} +
