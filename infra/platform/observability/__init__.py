"""Alarms, dashboards, saved queries, records of runs, digests and messages of a stage."""
