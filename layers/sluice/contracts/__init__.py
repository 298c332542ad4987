"""Contracts: how a table's events are recognised, what makes them valid, what their columns are."""
