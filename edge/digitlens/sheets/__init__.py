"""Forms: templates, printing, and what is known of their fields."""
