"""One delivery an hour: trigger the vendor's job, copy its files, check that all of them arrived."""
