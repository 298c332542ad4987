"""Sluice: the gate in front of a data lake, free of any cloud service outside `adapters`."""
