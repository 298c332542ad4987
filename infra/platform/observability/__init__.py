"""What a stage is watched with: metrics as others name them, alarms, dashboards, and what measures and remembers."""
