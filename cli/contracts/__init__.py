"""Tools for those who write contracts: check, infer, generate samples."""
