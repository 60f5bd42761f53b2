# The one door. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
ENGINE := services/media/engine
PY := services clients tests bench docs deploy
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

.run/web-dist: .run/gen-web $(shell find web -name node_modules -prune -o -name dist -prune -o -name gen -prune -o \( -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html' -o -name '*.json' \) -print 2>/dev/null)
	cd web && npm run --silent build
	@touch $@

.PHONY: setup gen web
setup: .run/gen-python .run/gen-web ## install everything into the tree
gen: .run/gen-python .run/gen-web ## stubs from proto/ for Python and TypeScript
web: .run/web-dist ## the web app, built into web/app/dist

.PHONY: run
run: .run/gen-python .run/web-dist ## all of Salon on this machine; prints a link (PORT=8080)
	@exec $(UV) run --frozen --no-sync --quiet salon run $(if $(PORT),--port $(PORT))

# ---- checks: what continuous integration runs, each alone ----------------------------------------------------------

.PHONY: fmt lint lint-python lint-imports lint-docs lint-rust lint-web lint-proto
fmt: setup ## format everything
	$(RUN) ruff format $(PY)
	$(RUN) ruff check --fix $(PY)
	cargo fmt --all --manifest-path $(ENGINE)/Cargo.toml
	cd web && npm run --silent format

lint: lint-proto lint-python lint-imports lint-docs lint-rust lint-web ## every static check

lint-proto: .run/python
	cd proto && ../$(RUN) buf lint
	cd proto && ../$(RUN) buf breaking --against released.binpb

.PHONY: release-proto
release-proto: .run/python ## the protocol as of now becomes what later ones must be compatible with: with each release, not before
	cd proto && ../$(RUN) buf build --exclude-source-info -o released.binpb

lint-python: .run/gen-python
	$(RUN) ruff format --check $(PY)
	$(RUN) ruff check $(PY)
	$(RUN) mypy $(PY)

lint-imports: .run/gen-python
	$(RUN) lint-imports

lint-docs: .run/gen-python
	$(RUN) python docs/generate_config.py --check
	$(RUN) python docs/generate_metrics.py --check
	cd deploy && ../$(RUN) python -m dashboards --check

lint-rust: .run/python
	cargo fmt --all --check --manifest-path $(ENGINE)/Cargo.toml
	cargo clippy --locked --all-targets --manifest-path $(ENGINE)/Cargo.toml --workspace -- -D warnings

lint-web: .run/gen-web
	cd web && npm run --silent typecheck && npm run --silent lint

.PHONY: test test-rust test-web-unit test-unit test-stack test-browser cov chromium
test: test-rust test-web-unit test-unit test-stack test-browser ## everything below, in this order

test-rust: .run/python ## the engine's crates, parsers fuzzed for seconds
	cargo test --locked --quiet --manifest-path $(ENGINE)/Cargo.toml --workspace --exclude salon-engine-python

test-web-unit: .run/gen-web ## the SDK and the app without a browser
	cd web && npm test --silent

test-unit: .run/gen-python ## pure parts, no sockets; branch coverage of every core/ stays at 90 % and more
	$(RUN) pytest -q tests --ignore=tests/model -m "not stack and not browser and not cluster and not images" --cov=salon_rooms.core --cov=salon_signaling.core \
		--cov=salon_media.core --cov=salon_client.core --cov-branch --cov-report=term:skip-covered --cov-fail-under=90
	$(RUN) pytest -q tests/model

.PHONY: test-deploy
test-deploy: .run/gen-python ## every overlay built, checked against Kubernetes' schemas, and held to the rules for pods (part of test-unit)
	$(RUN) pytest -q tests/deploy

test-stack: .run/gen-python .run/web-dist ## real NATS, real services, native clients
	$(RUN) pytest -q tests -m "stack and not browser"

test-browser: .run/gen-python .run/web-dist chromium ## real Chromium pages through the real stack
	$(RUN) pytest -q tests -m browser

.PHONY: test-rules
test-rules: .run/gen-python ## alerts by promtool: each fires when it should, and only then (part of test-unit)
	$(RUN) pytest -q tests/monitoring/rules

.PHONY: test-dashboards dashboards dashboard-pictures
test-dashboards: .run/gen-python ## every panel's query against a real Prometheus and real services (part of test-stack)
	$(RUN) pytest -q tests/monitoring/dashboards

dashboards: .run/gen-python ## Grafana's files from the code in deploy/dashboards
	cd deploy && ../$(RUN) python -m dashboards

dashboard-pictures: .run/gen-python ## docs/dashboards/*.png, drawn from a short day of two regions
	PYTHONPATH=tests:deploy $(RUN) python tests/monitoring/dashboards/draw.py docs/dashboards

.PHONY: test-faults test-outage
test-faults: .run/gen-python .run/web-dist chromium ## crashes, freezes, cut links, drains and outages; a table of who missed what (RUNS=3, SEED=4, ONLY="kill drain")
	$(RUN) python tests/faults/run.py --runs $(or $(RUNS),3) --seed $(or $(SEED),4) $(ONLY)

test-outage: .run/gen-python .run/web-dist chromium ## NATS away for seven minutes
	$(RUN) python tests/faults/run.py --outage 420 nats-away

chromium: .run/python
	@$(RUN) python tests/support/chromium.py

.PHONY: test-model
test-model: .run/gen-python ## the model of placement, presence and outages for longer (RUNS=2000, SEED=0 is the first run's)
	RUNS=$(or $(RUNS),2000) SEED=$(or $(SEED),0) $(RUN) pytest -q -s --timeout 7200 tests/model

.PHONY: test-cluster
test-cluster: .run/gen-python chromium ## Salon installed in a Kubernetes cluster, with people outside (KUBECONFIG= or CLUSTER_TOOL=, REGISTRY=; KEEP=1 leaves it)
	@$(IMAGES) rooms signaling media web test-nats test-prometheus
	$(RUN) pytest -v -s -m cluster --session-timeout 900 tests/cluster

.PHONY: simulate-scaling
simulate-scaling: .run/gen-python ## a day under the autoscaler of the manifests, and under others (SEED=1): a table, and docs/scaling.svg
	$(RUN) python tests/autoscaling/run.py --seed $(or $(SEED),1)

.PHONY: bench-join
bench-join: .run/gen-python .run/web-dist chromium ## how long a join takes, and what it costs the servers
	$(RUN) python bench/join.py

.PHONY: bench-recovery
bench-recovery: .run/gen-python ## how recovery grows with the people on a dead node, and joins a second
	$(RUN) python bench/recovery.py

.PHONY: docs
docs: .run/gen-python ## docs/config.md and docs/metrics.md from the settings and metrics in the code
	$(RUN) python docs/generate_config.py
	$(RUN) python docs/generate_metrics.py

.PHONY: images images-stop test-images
IMAGES := PYTHONPATH=deploy python3 -m images
images: ## the container images, by the Docker engine that answers or one that is started (TAG=dev REGISTRY= BASE= RUST= NODE=)
	@$(IMAGES)

images-stop: ## end the engine that was started for images
	@$(IMAGES) stop

test-images: images .run/gen-python ## stand-ins for images of others, and tests of all: user, size, settings, one machine with media
	@$(IMAGES) test-nats test-prometheus
	$(RUN) pytest -q -m images tests/containers

.PHONY: clean
clean: images-stop ## remove what was built and installed
	rm -rf .run .venv .tools proto/gen web/node_modules web/packages/client/src/gen web/app/dist $(ENGINE)/target
