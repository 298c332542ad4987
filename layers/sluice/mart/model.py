"""The mart as pipelines see it: its errors, migrations, and the rights of database roles."""

import hashlib
from dataclasses import dataclass

SCHEMA = "mart"
"""The schema of all tables and views of the mart."""

ADMIN = "admin"
"""The database role that migrates, and that no function has at run time."""

READER = "reader"
"""The database role of people: it reads what migrations grant it."""


class MartError(Exception):
    """The mart refused or failed a request; the message says which."""


class MartUnavailableError(MartError):
    """The mart did not answer, or other transactions were in the way, however often it was tried."""


class ForeignKeyError(MartError):
    """A row refers to one that is not there, or one is to go that others refer to."""


class RowError(MartError):
    """A row is not as the mart can hold it; the message names the row."""


class MigrationError(MartError):
    """A migration is not what was applied under its name."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Statements that change the schema, each in a transaction of its own: DSQL takes one of DDL in each.

    A crash may leave some of them done: each has to be one that may be run again (`IF NOT EXISTS`, `OR REPLACE`).
    """

    name: str
    sql: str

    @property
    def statements(self) -> list[str]:
        """The statements, in order; each ends with a semicolon at the end of a line."""
        return [each for part in f"{self.sql}\n".split(";\n") if (each := part.strip())]

    @property
    def digest(self) -> str:
        """Return what the statements are recognised by."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Role:
    """A database role, the IAM role that may connect as it, and its privileges: pairs as ("SELECT", "users")."""

    name: str
    arn: str
    privileges: frozenset[tuple[str, str]]
