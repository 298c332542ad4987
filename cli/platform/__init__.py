"""Commands about a whole stage, and what all commands share."""
