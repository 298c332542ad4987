"""Commands about vendor exports."""
