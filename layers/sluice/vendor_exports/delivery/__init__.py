"""Vendor exports: one delivery an hour, from the job that is triggered to the proof that all of it arrived."""
