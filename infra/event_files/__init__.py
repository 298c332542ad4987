"""Stack, functions, machine and alarms of event files."""
