"""Commands about event files."""
