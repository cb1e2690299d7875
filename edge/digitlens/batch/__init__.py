"""Archives: sources of documents, and what reads them in bulk."""
