"""Stack, functions, machines and alarms of vendor exports."""
