"""Lambda layers and what builds them."""
