"""The deployment of Sluice, described with the CDK."""
