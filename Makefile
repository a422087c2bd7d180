# Two commands matter: `make reports` and `make test`. Both first install what is missing into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SPARK_INSTALLED := $(VENV)/.installed-spark

# BLAS threads that fight for the cores make small models up to 100 times slower.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help install spark reports test lab bench lock notebooks lint

help:  ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

install: $(INSTALLED)  ## install everything into .venv (Python 3.11 or newer; PYTHON=... to choose one)
	@echo "environment: up to date"

# The lock names everything, so nothing is left to resolve: quicker, and the same with any pip.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@echo "installing into $(VENV): one to three minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

spark: $(SPARK_INSTALLED)  ## add Spark to .venv, for engine="spark" (needs Java 17)
	@java -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])' || { echo "Java 17 is needed: on Debian, apt install openjdk-17-jre-headless"; exit 2; }
	@echo "Spark: ready; docs/any_size.md says how to use it"

$(SPARK_INSTALLED): requirements-spark.lock $(INSTALLED)
	@echo "installing Spark into $(VENV): 430 MB, one or two minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements-spark.lock
	@touch $@

reports: install  ## publish every report of reports.toml; open reports/index.html
	@echo "running the plan of reports.toml"
	@$(BIN)/reports run

test: $(SPARK_INSTALLED)  ## pass the whole suite: style, unit tests, whole runs, notebooks against their stored outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg \
	  --nbval-cell-timeout=300 --nbval-kernel-startup-timeout=120 notebooks

# Its scheduler runs jobs by the runner of reports (docs/scheduling.md) and keeps what it knows of them in this workspace.
lab: install  ## open JupyterLab on the notebooks
	@mkdir -p "$(CURDIR)/jobs/.scheduler" && chmod 700 "$(CURDIR)/jobs"
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --FileContentsManager.preferred_dir="$(CURDIR)/notebooks" \
	  --Scheduler.execution_manager_class=helpers.reporting.scheduler.ReportExecutionManager \
	  --Scheduler.staging_path="$(CURDIR)/jobs/.scheduler" --SchedulerApp.db_url="sqlite:///$(CURDIR)/jobs/.scheduler/jobs.sqlite"

# CUSTOMERS=10000000: lifetime value alone, at that size, which takes most of an hour for the other programs' sake.
bench: install  ## measure speed and memory beside other programs: some twenty minutes; CUSTOMERS=1000000: lifetime value at one size
	@if [ -n "$(CUSTOMERS)" ]; then $(BIN)/python benchmarks/lifetime_value.py --customers $(CUSTOMERS); \
	  else for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done; fi

notebooks: install  ## run the notebooks and store their outputs, after a change that is meant to show
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

lint: install  ## mend style where it can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Spark has a lock of its own: what it adds to the other one, whose versions it keeps.
RESOLVE := uv pip compile --universal --generate-hashes --no-strip-extras --python-version 3.11 --quiet --no-header --no-annotate
lock:  ## resolve pyproject.toml anew into the two locks (needs uv)
	$(RESOLVE) --extra data --extra test pyproject.toml -o requirements.lock
	@$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"])' \
	  | $(RESOLVE) --constraint requirements.lock - -o requirements-spark.lock
