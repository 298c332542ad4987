"""Real engines of the kind that AWS runs, as judges: `make referees`."""
