# make demo    the main job on an embedded AWS (KEEP=1 leaves it running, make demo-stop ends it)
# make test    all tests and checks, two parts at a time: what .ci/run calls
# make check   format, lint, types, the template in four partitions
# make unit    the tests in memory and the contracts, on one Python
# make pythons the unit tests on the oldest and the newest Python of setup.cfg, and their coverage: part of make test
# make groovy  the Jenkins library: its tests with Maven, CodeNarc over it
# make package what the Jenkins library carries: python/ecs_pipeline as one file
# make chaos-sample  a fault at every AWS call, a few races: part of make test
# make judge-characteristics  how often each way of judging is wrong: the tables of docs/judging.md, half an hour
# make chaos   every fault at every AWS call, and many more orders of events
SHELL := /bin/sh
# The tests start hundreds of stages; each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help demo demo-stop test .tools check format unit contracts pythons emulator groovy chaos-sample chaos judge-characteristics environments requirements package clean

VENV := .cache/venv
BIN := $(VENV)/bin
PYTHON_SOURCES := python tests embedded_aws demo tools
SHELL_SOURCES := tools/environment tools/python tools/maven tools/hooks/pre-commit .ci/run tools/launch.sh $(wildcard embedded_aws/images/*/*.sh) \
	$(filter-out %/Dockerfile,$(wildcard embedded_aws/images/sidecar/*))

help:
	@sed -n 's/^# make/make/p' Makefile

# The tools, and the package as it stands in the working copy.
.tools:
	@tools/environment $(VENV) resources/ecs_pipeline/requirements.txt requirements/dev.txt
	@[ ! -e .git ] || git config core.hooksPath tools/hooks
	@[ $(BIN)/ecs-pipeline -nt setup.cfg ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

environments: .tools
	@tools/environment .cache/embedded-aws requirements/embedded-aws.txt

demo: environments
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

demo-stop: environments
	@$(BIN)/python -m demo.keeper --stop

# The oldest and the newest Python of setup.cfg.
PYTHONS := $(shell sed -n 's/.*Python :: \(3\.[0-9]*\)$$/\1/p' setup.cfg | sed -n '1p;$$p')

# Two parts at a time, so that one computes while another waits for containers; each prints its output when it is over.
# All are run, also after a failure; the last line names those that failed. Make before 4.0 runs one after the other.
PARTS := check emulator contracts $(PYTHONS:%=.python-%) chaos-sample groovy
SIDE_BY_SIDE := $(if $(filter output-sync,$(.FEATURES)),--jobs=2 --output-sync=target)
PASSED := .cache/passed
test: environments
	@rm -rf $(PASSED) && mkdir -p $(PASSED)
	@echo "$(PARTS): two at a time, the output of each when it is over"
	-@$(MAKE) --no-print-directory --keep-going $(SIDE_BY_SIDE) READY=.tools $(PARTS)
	@failed=; for part in $(PARTS); do [ -e $(PASSED)/$$part ] || failed="$$failed $$part"; done; \
		[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

# A region each of the partitions aws, aws-us-gov, aws-cn and aws-eusc.
PARTITIONS := ap-northeast-1 us-gov-west-1 cn-north-1 eusc-de-east-1
check: .tools
	$(BIN)/ruff format --check $(PYTHON_SOURCES)
	$(BIN)/ruff check $(PYTHON_SOURCES)
	$(BIN)/mypy
	$(BIN)/cfn-lint --regions $(PARTITIONS) -- resources/ecs_pipeline/environment.yml
	$(BIN)/python -m embedded_aws.engine_packages shellcheck shellcheck
	shellcheck $(SHELL_SOURCES)
	@mkdir -p $(PASSED) && touch $(PASSED)/$@

unit: .tools
	$(BIN)/pytest -q -n 2 tests/unit tests/contract

# The tests with containers, which run beside those in memory, have deadlines: they go first.
NICE := nice

# The rest of `unit`, which takes longest and which no Python runs differently.
contracts: .tools
	$(NICE) $(BIN)/pytest -q -n 2 tests/unit/protocol tests/contract
	@mkdir -p $(PASSED) && touch $(PASSED)/$@

# The newest Python measures the coverage, as sys.monitoring, which 3.12 brought, makes that cheap: on 3.11 it doubles the
# time of the tests. Where one of the two is missing, the Python of make takes its place, and says so.
pythons: $(PYTHONS:%=.python-%)

.python-%: .tools
	@if python=$$(tools/python $*); then \
		PYTHON=$$python tools/environment .cache/python-$* resources/ecs_pipeline/requirements.txt requirements/dev.txt && \
			{ [ .cache/python-$*/bin/ecs-pipeline -nt setup.cfg ] || .cache/python-$*/bin/python -m pip install --quiet \
				--disable-pip-version-check --no-deps --no-build-isolation --editable .; } || exit; \
		python=.cache/python-$*/bin/python; \
	else \
		echo "$$python"; python=$(BIN)/python; \
	fi; \
	export COVERAGE_CORE=sysmon; \
	exec $(NICE) $$python -m pytest -q -n 2 tests/unit --ignore tests/unit/protocol \
		$(if $(filter $*,$(lastword $(PYTHONS))),--cov=ecs_pipeline --cov-report=)
	@mkdir -p $(PASSED) && touch $(PASSED)/$@

# What the tests with containers need; `test` has made it, and a part that waits for it would lose its place in line.
READY := environments
emulator: $(READY)
	$(BIN)/pytest -q -n 4 --dist worksteal tests/emulator
	@mkdir -p $(PASSED) && touch $(PASSED)/$@

groovy: .tools
	@$(NICE) tools/maven $(BIN)/python verify
	@mkdir -p $(PASSED) && touch $(PASSED)/$@

chaos-sample: $(READY)
	$(BIN)/pytest -q -n 4 --dist loadgroup tests/chaos --ignore tests/chaos/test_late_reads.py
	@mkdir -p $(PASSED) && touch $(PASSED)/$@

chaos: environments
	$(BIN)/python tests/protocol_model/checker.py
	$(BIN)/python tests/protocol_model/mutants.py
	$(BIN)/pytest -q -n 2 tests/unit/protocol --seeds 300
	$(BIN)/pytest -q -n 4 --dist loadgroup tests/chaos --whole
	$(BIN)/python -m tests.chaos --processes 6 $(CHAOS)

judge-characteristics: environments
	@$(BIN)/python -m tests.characteristics $(JUDGE)

format: .tools
	$(BIN)/ruff check --fix $(PYTHON_SOURCES)
	$(BIN)/ruff format $(PYTHON_SOURCES)

# uv resolves for all platforms and Python versions at once; the .in files and setup.cfg say what is wanted.
UV := uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --custom-compile-command "make requirements"
requirements:
	$(UV) setup.cfg -o resources/ecs_pipeline/requirements.txt
	$(UV) requirements/dev.in -c resources/ecs_pipeline/requirements.txt -o requirements/dev.txt
	$(UV) requirements/embedded-aws.in -o requirements/embedded-aws.txt

package: .tools
	$(BIN)/python tools/package.py resources/ecs_pipeline/launch

clean:
	rm -rf .cache build target ecs-pipeline-reports
