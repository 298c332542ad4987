"""Recommendations from the mart: inference, training, registry, serving."""
