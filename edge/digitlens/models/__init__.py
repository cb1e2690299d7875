"""Networks: the shipped files with their cards, the one module that imports an interpreter, caches."""
