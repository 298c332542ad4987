"""AWS clients, DynamoDB items, settings from the environment: what any function needs of AWS."""
