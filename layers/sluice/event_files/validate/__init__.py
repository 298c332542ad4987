"""From a file of bytes to clean, dirty and unrelated lines."""
