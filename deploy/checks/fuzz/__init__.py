"""The fuzz: see run.py."""
