"""Observability of every pipeline: metrics, what a pipeline registers, cost estimates, digests."""
