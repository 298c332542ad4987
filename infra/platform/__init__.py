"""The building blocks the stacks are wired from."""
