"""Stack, functions, machine and alarms of the pulls of the application's API."""
