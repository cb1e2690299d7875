"""Settings: what a user can set, and the file that it is read from. Imports core alone."""
