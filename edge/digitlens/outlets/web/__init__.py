"""The outlet `web`: a page with the live picture, and the same data for programs; needs the extra `web`."""
