"""`sluice ingest`: upload files and say what became of each."""
