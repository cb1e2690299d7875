# Two commands do all the set-up: make read, make test. Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# What the Pi gets, and apart from it what the workstation and the tests need besides.
READ := .venv/$(VERSION)
TEST := .venv/$(VERSION)-test

.PHONY: read test lint benchmark clean

read: $(READ)/.ready
	$(READ)/bin/digitlens read examples/sheet.jpg --overlay out
	@echo "The picture with its boxes: out/sheet.jpg.png"

test: lint
	$(TEST)/bin/python -m pytest

lint: $(TEST)/.ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy

# Trains nothing: needs runs/digits from python -m digitlens_train digits, and converted.
benchmark: $(TEST)/.ready
	$(TEST)/bin/python -m digitlens_convert benchmark $(if $(MNIST),--mnist $(MNIST))

$(READ)/.ready: WHAT := .
$(TEST)/.ready: WHAT := '.[train,test,tflite]'
$(READ)/.ready $(TEST)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "digitlens needs Python 3.11 or newer; $(PYTHON) is $(VERSION). Name another with PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable $(WHAT)
	touch $@

clean:
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache
