"""The lake bucket: keys, objects, Arrow types of its tables."""
