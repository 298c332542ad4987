"""Migrations of the mart: applied in order, each once, and recorded."""

from collections.abc import Sequence

from psycopg.sql import SQL, Identifier

from sluice.mart.connection_postgres import Mart
from sluice.mart.model import SCHEMA, Migration, MigrationError

_RECORDS = """
CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL)
"""


def migrate(mart: Mart, migrations: Sequence[Migration], schema: str = SCHEMA) -> list[str]:
    """Apply the migrations that are not recorded, and return their names; one that stopped half-way is run again.

    Raises:
        MigrationError: One was changed after it was applied.
        MartError: The mart refuses a statement.
    """
    mart.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
    mart.execute(_RECORDS)
    applied = dict(mart.query("SELECT name, digest FROM migrations"))
    for migration in migrations:
        if applied.get(migration.name, migration.digest) != migration.digest:
            raise MigrationError(
                f"migration {migration.name} was changed after it was applied: restore it, and write a new one"
            )
    new = [migration for migration in migrations if migration.name not in applied]
    for migration in new:
        for statement in migration.statements:
            mart.execute(statement)
        record = "INSERT INTO migrations VALUES (%s, %s, now()) ON CONFLICT (name) DO NOTHING"
        mart.execute(record, [migration.name, migration.digest])
    return [migration.name for migration in new]
