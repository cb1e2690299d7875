"""Values that travel between the packages; nothing of ours is imported here, nor OpenCV or a network."""
