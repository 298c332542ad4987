"""The vendor simulator: an HTTP server that speaks the Veson data lake's API, made-up exports and faults included."""
