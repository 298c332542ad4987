"""The relational mart: connections, migrations, database roles, and writes within the limits of Aurora DSQL."""
