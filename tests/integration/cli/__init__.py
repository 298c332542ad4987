"""The command line against S3 and DynamoDB in process."""
