"""A music application that offers its tracks, users and listen histories by an HTTP API; simulated, with faults."""
