"""The profiling log in a search cluster: documents, how they get there, and the boards over them."""
