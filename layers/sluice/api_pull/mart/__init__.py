"""The application's users, tracks and listens in the mart: their tables, and how a day's rows become visible."""
