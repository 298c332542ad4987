"""Run records: one per execution of a state machine that has ended."""
