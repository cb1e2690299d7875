"""The parameters of each stage: frozen dataclasses, handed down by constructors."""
