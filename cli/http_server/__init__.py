"""An HTTP server on this machine that breaks on demand: messages, the server, faults of the connection and of bytes."""
