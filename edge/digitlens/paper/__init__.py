"""Gray picture -> the ink of digits, other writing, print and lines, and glyphs of connected ink."""
