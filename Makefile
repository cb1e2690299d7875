# make read and make test do all the set-up. Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# The Pi's environment, and that of the workstation and the tests.
READ := .venv/$(VERSION)
TEST := .venv/$(VERSION)-test
# Builds and checks the release.
RELEASE := .venv/$(VERSION)-release
# Processor of the bundle.
ARCH ?= aarch64
OUT ?= dist

# Workers that share the tests: a number, or one a core.
WORKERS ?= auto

.PHONY: read test quick lint format benchmark bundle pins release clean

read: $(READ)/.ready
	$(READ)/bin/digitlens read examples/sheet.jpg --overlay out
	@echo "The picture with its boxes: out/sheet.jpg.png"

test: lint
	$(TEST)/bin/python -m pytest -n $(WORKERS) --cov --cov-report=term

# Under a minute: without browser, broker, screen, training and other slow tests.
quick: $(TEST)/.ready
	$(TEST)/bin/python -m pytest -n $(WORKERS) -m 'not (browser or broker or screen or slow)' tests/edge tests/deploy tests/test_house.py

# NumPy's type stubs change between versions; the code is checked against those of bookworm's Python 3.11.
lint: $(TEST)/.ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(if $(filter 3.11,$(VERSION)),$(TEST)/bin/mypy,@echo "mypy runs with Python 3.11 only")

format: $(TEST)/.ready
	$(TEST)/bin/ruff check --fix .
	$(TEST)/bin/ruff format .

# Needs runs/digits, trained by python -m digitlens_train digits and converted.
benchmark: $(TEST)/.ready
	$(TEST)/bin/python -m digitlens_convert benchmark $(if $(MNIST),--mnist $(MNIST))

# dist/digitlens-VERSION-ARCH: a folder that installs the service without a network.
bundle: $(RELEASE)/.ready
	PYTHON=$(RELEASE)/bin/python deploy/bundle $(ARCH) $(OUT)

# deploy/pins: the newest versions of the wheel's dependencies.
pins: $(RELEASE)/.ready
	PATH="$(CURDIR)/$(RELEASE)/bin:$$PATH" deploy/pin

# dist/: wheel and sdist, built twice; an SBOM; a check for known vulnerabilities.
release: $(RELEASE)/.ready
	PYTHON=$(RELEASE)/bin/python UNCHECKED=$(UNCHECKED) deploy/release

$(READ)/.ready: WHAT := .
$(TEST)/.ready: WHAT := '.[train,test,tflite]'
$(READ)/.ready $(TEST)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "digitlens needs Python 3.11 or newer; $(PYTHON) is $(VERSION). Name another with PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable $(WHAT)
	touch $@

$(RELEASE)/.ready: pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'  # the first that knows groups
	$(@D)/bin/python -m pip install --quiet --group release
	touch $@

clean:
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .coverage
