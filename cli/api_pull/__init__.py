"""Commands about the pulls of the application's API."""
