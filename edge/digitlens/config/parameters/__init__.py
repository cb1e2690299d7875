"""The parameters of each stage of the reading path, with their defaults; imports core alone."""
