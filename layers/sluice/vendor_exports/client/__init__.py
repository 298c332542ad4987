"""The Veson data lake's API, and nothing else."""
