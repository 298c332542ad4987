"""Pages of figures and plots: one HTML file each, which asks nothing of any network."""
