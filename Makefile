# Every command of the project. `make help` lists them; CI runs `make test`, then `make test-heavy`.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-heavy contract docs pictures sbom wheel conformance load attack empty-marts boards-check server-check image-check image-digests lint coverage format lock bench bench-compare bench-bus test-cluster install-orchestration simulate simulate-bugs chaos chaos-hour availability front-end clean lint-style lint-types lint-sql lint-meanwhile tested quarter
export PYTHON
# Tests start hundreds of processes: each would compile what it imports, where this is set.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
LOCKS := requirements/bootstrap.txt requirements/main.txt requirements/server.txt requirements/dev.txt
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --system-certs --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build
SQL = adapters api assistant bot models quality dashboards streams surveillance tickhouse cli reports
DBT_SQL = models data-tests
# A test waits a third of its time for processes: three workers fill two cores. Files in their order,
# not by their number of tests: the longest ones have few, and would come last.
BESIDE = -n 3 --dist loadfile --no-loadscope-reorder

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/main.stamp ## set up, then the whole pipeline on the built-in simulated market
	@$(BIN)/tickhouse demo

test: .venv/dev.stamp ## set up, then every check and the tests that find nearly all faults
	@SECONDS=0; $(MAKE) --no-print-directory --jobs 2 --keep-going lint-meanwhile tested; failed=$$?; \
		if [ -e .venv/lint.txt ]; then cat .venv/lint.txt; fi; [ $$failed = 0 ] || exit $$failed; \
		printf 'make test: all checks passed in %d min %02d s\n' $$((SECONDS / 60)) $$((SECONDS % 60))

tested: .venv/compiled.stamp
	@$(BIN)/python -m pytest $(BESIDE)

# Tests wait for their processes: what they leave of two cores is enough for all other checks. What
# fails of these is told at the end, below the tests.
lint-meanwhile:
	@nice -n 10 $(MAKE) --no-print-directory --keep-going lint-types lint-style lint-sql >.venv/lint.txt 2>&1
	@rm .venv/lint.txt

test-heavy: .venv/dev.stamp ## the suites that take minutes (SUITES='kafka browser': only those)
	@$(BIN)/python -m tests.heavy $(SUITES) $(if $(UNTIL),--until $(UNTIL))

load: .venv/dev.stamp ## a minute of writers and readers on the warehouse, then an insert of 1 GiB
	$(BIN)/python -m tests.load

attack: .venv/dev.stamp ## STATEMENTS=1000000 by grammar as every role, CONNECTIONS=5000; SEED=1
	@$(BIN)/python -m tests.attack --statements $(or $(STATEMENTS),1000000) \
		--connections $(or $(CONNECTIONS),5000) --seed $(or $(SEED),1)

conformance: .venv/dev.stamp ## other people's suites against the warehouse (SRC=DIR: their checkouts)
	@$(BIN)/python -m tests.conformance.run $(or $(SRC),$(error SRC=DIR is missing: the folder of the checkouts))

lint: .venv/dev.stamp ## style, types, import rules and SQL, without running tests
	@$(MAKE) --no-print-directory --jobs 2 --keep-going lint-types lint-style lint-sql

lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lint-types: # takes as long as the others together
	$(BIN)/mypy

lint-sql:
	$(BIN)/sqlfluff lint $(SQL)
	cd dbt && ../$(BIN)/sqlfluff lint $(DBT_SQL)

# What tests import, while other checks have the other core: in a fresh environment each of the three
# workers would compile it anew. What cannot be imported is said by the tests.
.venv/compiled.stamp: .venv/dev.stamp
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 || true
	@touch $@

coverage: .venv/dev.stamp ## branches that `make test` runs, also in the processes it starts; files under 75 %
	@rm -rf .coverage && mkdir .coverage
	@COVERAGE_FILE=$(CURDIR)/.coverage/data $(BIN)/coverage run -m pytest $(BESIDE) || true
	@COVERAGE_FILE=$(CURDIR)/.coverage/data $(BIN)/coverage combine --quiet .coverage
	@COVERAGE_FILE=$(CURDIR)/.coverage/data $(BIN)/coverage report --sort=cover | awk 'NR < 3 || /^TOTAL/ || int($$NF) < 75'

format: .venv/dev.stamp ## rewrite the code in the project's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --processes 2 $(SQL)
	cd dbt && ../$(BIN)/sqlfluff fix --processes 2 $(DBT_SQL)

lock: ## compile requirements/ from pyproject.toml (UPGRADE=1: newest versions)
	scripts/set-up uv
	$(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) \
		--group bootstrap -o requirements/bootstrap.txt
	$(COMPILE) --extra dev $(if $(UPGRADE),--upgrade) -o requirements/dev.txt
	$(COMPILE) --extra main -c requirements/dev.txt -o requirements/main.txt
	$(COMPILE) --extra server -c requirements/dev.txt -o requirements/server.txt
	$(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) \
		--group docs -c requirements/dev.txt -o requirements/docs.txt

contract: .venv/dev.stamp ## at a release: the public names, as docs/contracts/<version>.txt
	@$(BIN)/python -m docs.contract

quarter: .venv/dev.stamp ## a quarter played through the product, every report held against its script; WEEKS=12
	@$(BIN)/python -W ignore -m tests.quarter --weeks $(or $(WEEKS),12) $(if $(OUT),--out $(OUT))

empty-marts: .venv/dev.stamp ## after a change of a mart's columns: its empty table, as dbt makes it
	@$(BIN)/python -m orchestration.empty_marts

boards-check: .venv/dev.stamp ## URL=https://grafana TOKEN_FILE=f: boards pushed, every panel and rule tried, one verdict
	@$(BIN)/tickhouse boards check --url $(or $(URL),$(error URL= is missing: where Grafana is)) \
		$(if $(TOKEN_FILE),--token-file $(TOKEN_FILE)) --screenshots $(or $(DIR),dist/boards-check)

server-check: .venv/main.stamp ## URL=http://clickhouse:8123 WHO=user PASSWORD_FILE=f CLUSTER=name: all that is asked of it, one verdict
	@$(BIN)/tickhouse server-check --url $(or $(URL),$(error URL= is missing: where ClickHouse's HTTP interface is)) \
		$(if $(WHO),--user $(WHO)) $(if $(PASSWORD_FILE),--password-file $(PASSWORD_FILE)) \
		$(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(CA),--ca $(CA))

docs: .venv/docs.stamp ## the documentation as a site on 127.0.0.1 (PORT=n; else a free one)
	@$(BIN)/docs/bin/python docs/site/serve.py $(PORT)

pictures: .venv/dev.stamp ## the documentation's pictures, of the real thing (NAMES='stack terminal': only those)
	@$(BIN)/python -m docs.pictures $(NAMES)

wheel: .venv/main.stamp ## the product as one file, to install without a clone: dist/*.whl and dist/constraints.txt
	@rm -f dist/tickhouse-*.whl && $(BIN)/python -m hatchling build -t wheel -d dist
	@cp requirements/server.txt dist/constraints.txt && echo "dist/constraints.txt: the versions that it was tested with"

sbom: .venv/dev.stamp ## what the product is made of, as CycloneDX: dist/sbom.cdx.json
	@mkdir -p dist && $(BIN)/cyclonedx-py requirements requirements/server.txt --pyproject pyproject.toml \
		--output-reproducible --of JSON -o dist/sbom.cdx.json && echo "make sbom: dist/sbom.cdx.json"

image-digests: ## base images by digest, where docker reaches their registry; names what is missing
	@scripts/image-digests

image-check: ## as root, with Debian's buildah: the image built, a replay and `up` in it, its size
	@scripts/image-check

install-orchestration: .venv/orchestration.stamp ## Dagster, dbt and Great Expectations, for `tickhouse up`

bench: .venv/dev.stamp ## measure speed, all of it in one table (NAMES='import kernel', LOADED=1 on a used machine, KEEP=1 for docs)
	@$(BIN)/python -m benchmarks $(NAMES) $(if $(LOADED),--loaded) $(if $(KEEP),--keep)

bench-compare: .venv/dev.stamp ## better, worse or the same as BASE=commit, in CPU seconds, on fresh homes (PAIRS=6, LOADED=1)
	@$(BIN)/python -m benchmarks.compare $(BASE) --pairs $(or $(PAIRS),6) $(if $(LOADED),--loaded)

bench-bus: .venv/dev.stamp ## NATS and Kafka in one run: tick to signal, latency, throughput
	$(BIN)/python -m benchmarks.bench_tick_to_signal --bus nats --bus kafka --repeats 1 --rate 100
	$(BIN)/python -m benchmarks.bench_bus --bus nats --bus kafka

test-cluster: .venv/dev.stamp ## three Kafka brokers, sharded flows, five hosts, kills, cut links (some need root)
	$(BIN)/python -m pytest tests/cluster -m cluster

simulate: .venv/dev.stamp ## execution in N=1000 simulated worlds; SEED=n tells one step by step
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--first $(or $(FIRST),0) --count $(or $(N),1000))

simulate-bugs: .venv/dev.stamp ## the simulation finds every bug planted on purpose
	@$(BIN)/python -m tests.simulation --bugs

chaos: .venv/dev.stamp ## FAULTS=200 random faults on the real processes, from SEED=n; NETTING=1: strategies share positions
	@$(BIN)/python -m tests.chaos --faults $(or $(FAULTS),200) $(if $(SEED),--seed $(SEED)) $(if $(NETTING),--netting)

chaos-hour: .venv/dev.stamp ## seconds without trading in an hour with 20 kills (KILLS=20 PERIOD=180 s)
	@$(BIN)/python -m tests.chaos --kills $(or $(KILLS),20) --period $(or $(PERIOD),180) $(if $(SEED),--seed $(SEED))

availability: .venv/dev.stamp ## MINUTES=60 of trading with kills, hangs, bad disks, broker outages, from SEED=n
	@$(BIN)/python -m tests.availability --minutes $(or $(MINUTES),60) --period $(or $(PERIOD),30) $(if $(SEED),--seed $(SEED))

front-end: ## check and build the live page's TypeScript (Node 20 or newer)
	cd dashboards/live/front && npm ci --no-audit --no-fund && npm run check && npm run build

clean: ## remove the environment and caches (never TICKHOUSE_HOME)
	rm -rf .venv .mypy_cache .coverage .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.venv/main.stamp: scripts/set-up requirements/bootstrap.txt requirements/main.txt pyproject.toml
	scripts/set-up main

.venv/orchestration.stamp: scripts/set-up requirements/bootstrap.txt requirements/main.txt requirements/server.txt requirements/dev.txt pyproject.toml
	scripts/set-up orchestration

.venv/docs.stamp: scripts/set-up requirements/bootstrap.txt requirements/docs.txt
	scripts/set-up docs

.venv/dev.stamp: scripts/set-up requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	scripts/set-up dev
