"""Where pictures are shown; each display in a module of its own, imported when it is opened."""
