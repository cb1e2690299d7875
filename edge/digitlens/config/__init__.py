"""What a user can set and the file that it is read from; the stages' parameters. Imports core alone."""
