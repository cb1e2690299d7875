"""Ink -> glyphs: seams, parts, the segmentation lattice, and the 28 x 28 input."""
