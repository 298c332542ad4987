"""Database roles of the mart: which IAM role may connect as which, and what it may do there."""

from collections.abc import Sequence
from typing import LiteralString

from psycopg.sql import SQL, Identifier, Literal

from sluice.mart.connection_postgres import Mart
from sluice.mart.model import SCHEMA, Role

_MAY_CONNECT = "SELECT arn FROM sys.iam_pg_role_mappings WHERE pg_role_name = %s"
_MAY_DO = """
SELECT privilege_type::text, table_name::text FROM information_schema.role_table_grants
WHERE grantee = %s AND table_schema = %s
"""


def grant(mart: Mart, roles: Sequence[Role], schema: str = SCHEMA) -> None:
    """Give the roles what they are to have and nothing more, each in one statement; create those that are missing.

    Raises:
        MartError: The mart refuses a statement.
    """
    for role in roles:
        name = Identifier(role.name)
        if not mart.query("SELECT FROM pg_roles WHERE rolname = %s", [role.name]):
            mart.execute(SQL("CREATE ROLE {} WITH LOGIN").format(name))
        _let_connect(mart, role)
        mart.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), name))
        has = set(mart.query(_MAY_DO, [role.name, schema]))
        for privilege, table in sorted(role.privileges - has):
            mart.execute(SQL("GRANT {} ON {} TO {}").format(_word(privilege), Identifier(table), name))
        for privilege, table in sorted(has - role.privileges):
            mart.execute(SQL("REVOKE {} ON {} FROM {}").format(_word(privilege), Identifier(table), name))


def _let_connect(mart: Mart, role: Role) -> None:
    """Let one IAM role connect as the role: that of the function as it is now."""
    may = {arn for (arn,) in mart.query(_MAY_CONNECT, [role.name])}
    for arn in sorted(may - {role.arn}):
        mart.execute(SQL("AWS IAM REVOKE {} FROM {}").format(Identifier(role.name), Literal(arn)))
    if role.arn not in may:
        mart.execute(SQL("AWS IAM GRANT {} TO {}").format(Identifier(role.name), Literal(role.arn)))


def _word(privilege: LiteralString) -> SQL:
    return SQL(privilege)
