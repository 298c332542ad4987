"""The vendor simulator: an HTTP server with the Veson data lake's API, made-up exports and faults."""
