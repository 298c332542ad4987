"""What goes wrong at the vendor's, on demand."""
