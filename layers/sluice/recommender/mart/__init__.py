"""The recommender's tables of the mart."""
