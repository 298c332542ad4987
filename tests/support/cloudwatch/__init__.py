"""CloudWatch alarms as a CloudFormation template defines them, evaluated over series of measured points."""
