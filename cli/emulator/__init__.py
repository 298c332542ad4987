"""The process of the local cloud: the emulator `ministack`, mended, behind a gate."""
