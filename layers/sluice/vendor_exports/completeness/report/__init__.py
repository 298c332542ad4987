"""The report on the exports' service level: one HTML page that needs no network."""
