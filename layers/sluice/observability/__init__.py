"""What people watch: the metrics there are, how old the lake's data is, and the reports made of both."""
