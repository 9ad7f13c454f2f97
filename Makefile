# Commerce Warehouse. `make` lists the targets; each does the set-up it needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo test drill soak superset lint types format dev notebooks notebook docs bench lock docs-lines docs-generated docs-truth docs-recommenders clean
.SUFFIXES:

VENV := .venv
# A configuration that the environment names is not the demo's.
unexport WAREHOUSE_CONFIG
# The tools of the environment come first, for us and for what they start (dbt, dagster).
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# A copy of the clone elsewhere, or other requirements, make another environment.
KEY := $(shell { pwd; cat requirements-dev.txt pyproject.toml; } | cksum | tr -d ' ')
STAMP := $(VENV)/.installed

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# PYTHON=python3.12 chooses another interpreter than the first of 3.11 and 3.12 that works. gql has
# no wheel in pip's hash mode for its own dependencies' ranges, and the lock is complete: --no-deps.
setup: ## create .venv and install the locked packages
	@set -e; \
	if [ "$$(cat $(STAMP) 2>/dev/null)" = "$(KEY)" ] && \
	   { [ -z "$(PYTHON)" ] || [ "$$($(PYTHON) -V 2>&1)" = "$$($(VENV)/bin/python -V 2>&1)" ]; } && \
	   $(VENV)/bin/python -c '' 2>/dev/null; then exit 0; fi; \
	python=; for candidate in $(or $(PYTHON),python3.11 python3.12 python3); do \
	  if $$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; \
	  then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "make: Python 3.11 or 3.12 is needed ($(or $(PYTHON),python3.11 python3.12 python3): none works); install it, for example: apt-get install python3 python3-venv" >&2; exit 2; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  name=$$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  echo "make: $$python has no venv module; install it, for example: apt-get install $$name" >&2; exit 2; \
	fi; \
	rm -f $(STAMP); \
	if ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1 || \
	   [ "$$($$python -V 2>&1)" != "$$($(VENV)/bin/python -V 2>&1)" ]; then \
	  rm -rf $(VENV); $$python -m venv $(VENV); \
	fi; \
	echo "Installing the locked packages into $(VENV) (one to two minutes the first time) ..."; \
	export PIP_DISABLE_PIP_VERSION_CHECK=1; \
	$(VENV)/bin/python -m pip install -qq --no-deps --require-hashes -r requirements-dev.txt; \
	$(VENV)/bin/python -m pip install -qq --no-deps --no-build-isolation -e .; \
	echo "$(KEY)" > $(STAMP)

demo: setup ## start the demo shop, load it, publish a version, and show what there is
	@warehouse demo up
	@warehouse run
	@python -m cli.demo_summary

test: setup ## run the tests (PYTEST_ARGS="-m 'not (slow or drill or soak)'" leaves out the slow ones)
	@python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

drill: setup ## run the tests that kill, repeat and compare whole runs of the demo shop
	@python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "drill and not soak" $(PYTEST_ARGS)

soak: setup ## load the demo day by day for a month, and do 10,000 random steps of a small warehouse
	@python -m pytest -n 0 -m soak $(PYTEST_ARGS)

superset: setup ## install Apache Superset in .venv-superset, and have its charts compared with the file
	@python -m pytest -n 0 -m superset $(PYTEST_ARGS)

lint: setup ## check style, SQL, portability to Redshift, and who imports whom
	@ruff check .
	@ruff format --check .
	@lint-imports --no-logo
	@sqlfluff lint --processes 2 dbt_project/models dbt_project/tests
	@python -m tests.dbt.portability

types: setup ## check the types
	@basedpyright

format: setup ## format the Python files, and repair what ruff can
	@ruff check --fix .
	@ruff format .

dev: setup ## open the Dagster UI on the demo: http://127.0.0.1:3000
	@warehouse demo up
	@WAREHOUSE_CONFIG=$(CURDIR)/warehouse.yml DAGSTER_HOME=$$(python -m orchestration.home) dagster dev -m orchestration.definitions

# The demo's warehouse, or the one that WAREHOUSE_CONFIG names.
READ := WAREHOUSE_CONFIG=$(or $(WAREHOUSE_CONFIG),$(CURDIR)/warehouse.yml)

notebooks: setup ## open the notebooks in JupyterLab, on the published version
	@$(READ) jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/start_here.ipynb

notebook: notebooks

docs: setup ## show the catalogue of the published version: http://127.0.0.1:8080 (PORT=8081)
	@$(READ) warehouse docs --serve --port $(or $(PORT),8080)

bench: setup ## run the benchmarks; each prints ratios measured in one run
	@set -e; for script in benchmarks/*.py; do PYTHONPATH=. python "$$script"; done

lock: ## write requirements*.txt anew from pyproject.toml (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --extra demo --extra dev --custom-compile-command "make lock" pyproject.toml -o requirements-dev.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" -c requirements-dev.txt pyproject.toml -o requirements.txt
	@cd tests/clients/superset && uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" requirements-superset.in -o requirements-superset.txt

docs-lines: setup ## write docs/explanation/where-every-line-went.md anew from the real data
	@python -m tests.where_every_line_went

docs-generated: setup ## write docs/explanation/generated-data.md anew from the demo's generator
	@python -m tests.demo.generated_data

docs-truth: setup ## write the pages about attribution, and about fraud, and the truth anew from a demo shop
	@python -m tests.dbt.truth_pages

docs-recommenders: setup ## write docs/explanation/recommendation-evaluation.md anew from the real data
	@python -m tests.analytics.recommender_quality

clean: ## remove .venv, the demo's data and all caches
	@if [ -x $(VENV)/bin/warehouse ] && [ -f warehouse.yml ]; then warehouse demo down --delete; fi
	@rm -rf $(VENV) .venv-superset var build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
