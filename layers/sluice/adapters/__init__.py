"""The outside world: the only place that imports boto3."""
