"""From committed chunks of clean lines to Parquet tables."""
