"""The front of hand-made rules: ink by contrast, lines followed and taken out, pieces chosen by size."""
