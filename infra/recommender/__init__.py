"""Stack, functions, machines and alarms of the recommender."""
