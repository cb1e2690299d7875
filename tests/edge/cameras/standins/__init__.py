"""Modules that stand in for hardware's, found by the folder's being on sys.path."""

from pathlib import Path

FOLDER = Path(__file__).parent
