"""Digits -> numbers: grouping, the prior of the page, separators, Roman numerals."""
