"""What runs the local cloud: the emulator `ministack`, mended, behind a gate."""
