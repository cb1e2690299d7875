"""Picture files, videos and overlays: from files to arrays and back."""
