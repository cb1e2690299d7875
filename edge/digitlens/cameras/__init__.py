"""Cameras: `base` has the protocols, `registry` opens a camera by its name."""
