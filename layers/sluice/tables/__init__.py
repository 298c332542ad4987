"""Upkeep of the lake's tables: small files become few, old snapshots and what nothing refers to go."""
