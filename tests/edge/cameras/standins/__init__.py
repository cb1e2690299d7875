"""Modules that stand in for hardware's, found by their folder on sys.path."""

from pathlib import Path

FOLDER = Path(__file__).parent
