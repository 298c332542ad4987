"""The service that answers what inference wrote: its answers, what it reads, its API."""
