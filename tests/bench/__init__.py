"""``make bench``: our code and its peers on the same bytes, on the same machine, in turns."""
