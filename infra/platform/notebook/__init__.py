"""The notebook instance of a stage."""
