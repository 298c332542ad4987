"""Vendor exports: hourly deliveries, fetched, proven complete and recorded."""
