"""Gray picture -> where ink is, the lines of the paper taken out, and glyphs of connected ink."""
