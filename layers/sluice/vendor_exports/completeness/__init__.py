"""Histories of the deliveries: completeness and volume, one row per slot."""
