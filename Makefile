# make read and make test do all the set-up. Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# What the Pi gets, and apart from it what the workstation and the tests need besides.
READ := .venv/$(VERSION)
TEST := .venv/$(VERSION)-test
# What builds the release and looks it over.
RELEASE := .venv/$(VERSION)-release
# The processor that a bundle is for.
ARCH ?= aarch64
OUT ?= dist

# Workers that share the tests: one a core, or a number.
WORKERS ?= auto

.PHONY: read test quick lint format benchmark bundle pins release clean

read: $(READ)/.ready
	$(READ)/bin/digitlens read examples/sheet.jpg --overlay out
	@echo "The picture with its boxes: out/sheet.jpg.png"

test: lint
	$(TEST)/bin/python -m pytest -n $(WORKERS) --cov --cov-report=term

# Under a minute: no browser, no broker, no screen, no training.
quick: $(TEST)/.ready
	$(TEST)/bin/python -m pytest -n $(WORKERS) -m 'not (browser or broker or screen or slow)' tests/edge tests/deploy

# NumPy's types change from version to version: they are checked with that of Python 3.11, bookworm's.
lint: $(TEST)/.ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(if $(filter 3.11,$(VERSION)),$(TEST)/bin/mypy,@echo "Types: checked with Python 3.11 only")

format: $(TEST)/.ready
	$(TEST)/bin/ruff check --fix .
	$(TEST)/bin/ruff format .

# Trains nothing: needs runs/digits from python -m digitlens_train digits, and converted.
benchmark: $(TEST)/.ready
	$(TEST)/bin/python -m digitlens_convert benchmark $(if $(MNIST),--mnist $(MNIST))

# dist/digitlens-VERSION-ARCH: a folder that installs the service without a network.
bundle: $(RELEASE)/.ready
	PYTHON=$(RELEASE)/bin/python deploy/bundle $(ARCH) $(OUT)

# deploy/pins: the newest versions of what is installed beside the wheel.
pins: $(RELEASE)/.ready
	PATH="$(CURDIR)/$(RELEASE)/bin:$$PATH" deploy/pin

# dist/: wheel and sdist, built twice; an SBOM; known vulnerabilities looked up.
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
