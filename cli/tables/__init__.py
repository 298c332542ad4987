"""Commands about the upkeep of the lake's tables."""
