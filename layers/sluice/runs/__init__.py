"""Run history: one record per execution of a machine, whatever became of it."""
