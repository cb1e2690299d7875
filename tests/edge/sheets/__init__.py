"""Tests of digitlens.sheets."""
