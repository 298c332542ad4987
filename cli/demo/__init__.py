"""Made-up event files, and the tour through the pipeline that `make demo` takes with them."""
