"""What tests need of moto: its backends read and made faster, a stage of its services, calls counted and broken."""
