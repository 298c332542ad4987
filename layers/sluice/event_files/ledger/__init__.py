"""The ledger: one record per source object and per chunk, and the open run."""
