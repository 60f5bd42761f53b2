# The one door. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
ENGINE := services/media/engine
PY := services clients tests bench
# Mypy and ruff look at our code only; what `make gen` writes is left out by their settings.

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# ---- set-up: each step leaves a stamp in .run/, so that a second call costs nothing -------------------------------

$(UV):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Salon needs Python 3.11 or later as python3"; exit 1; }
	@python3 -m venv .tools || { echo "python3 cannot make a venv: apt-get install python3-venv"; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.run/python: $(UV) uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml clients/*/pyproject.toml) \
		$(shell find $(ENGINE) -name target -prune -o \( -name '*.rs' -o -name 'Cargo.*' -o -name '*.pyi' \) -print 2>/dev/null)
	@command -v cargo >/dev/null || { echo "Salon needs Rust 1.85 or later (cargo): https://rustup.rs"; exit 1; }
	$(UV) sync --frozen --all-groups
	@mkdir -p .run && touch $@

.run/web: web/package-lock.json $(wildcard web/package.json web/*/package.json web/packages/*/package.json)
	@command -v npm >/dev/null || { echo "Salon needs Node 20 or later (node, npm)"; exit 1; }
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@mkdir -p .run && touch $@

PROTOS := $(wildcard proto/salon/*/v1/*.proto)
.run/gen-python: .run/python $(PROTOS)
	@mkdir -p proto/gen
	cd proto && ../$(RUN) python -m grpc_tools.protoc -I. --python_out=gen --grpc_python_out=gen --mypy_out=quiet:gen \
		--mypy_grpc_out=quiet:gen $(PROTOS:proto/%=%)
	@touch $@

.run/gen-web: .run/python .run/web $(PROTOS) proto/buf.gen.yaml
	cd proto && ../$(RUN) buf generate
	@touch $@

.PHONY: setup gen
setup: .run/python .run/web gen ## install everything into the tree
gen: .run/gen-python .run/gen-web ## stubs from proto/ for Python and TypeScript
