"""Displays: `base` has the protocols, `registry` opens a display by its name."""
