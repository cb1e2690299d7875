"""The version of digitlens; everything that names it reads it here."""

__version__ = "0.2.0"
