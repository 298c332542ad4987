"""What became of every hour's delivery: completeness and volume, one row per slot."""
