"""Forms: templates, printing, and the constraints on their fields."""
