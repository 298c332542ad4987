"""Stack and settings of the tables' upkeep."""
