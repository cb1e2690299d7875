"""Sheets filled in by held-out hands and photographed, with their truth: what sheet read is measured on."""
