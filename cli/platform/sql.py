"""SQL before Athena gets it: whether it only reads, the time it reads as of, and nested columns as JSON."""

import logging
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema
from sqlglot.tokenizer_core import Token, TokenType

from cli.platform.console import CliError

_DIALECT = "trino"  # the engine of Athena's queries
_TIME = "timestamp(3) with time zone"
_READS = {"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "("}
_WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "INTO"}
_TEXTS = {TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.UNICODE_STRING, TokenType.IDENTIFIER}
_EXPLAIN_OPTIONS = re.compile(r"\A(?:\s|analyze\b|verbose\b|\([^()]*\))*", re.IGNORECASE)  # what follows may run

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it does not know is Athena's to judge


def assert_reads(sql: str) -> None:
    """Refuse statements that write: the catalog belongs to the deployment, which does not repair a dropped table.

    Raises:
        CliError: There is no statement, a second one, or one that may change something.
    """
    try:
        tokens = sqlglot.tokenize(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise CliError(f"This is no SQL: {error}", "Is a quote or a comment left open?") from error
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise CliError("There is no SQL.", 'Try: sluice query "select count(*) from microone_event"')
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise CliError("One statement at a time: there is a second one behind a semicolon.", "Run one after the other.")
    first = tokens[0].text
    if first.upper() == "EXPLAIN":
        assert_reads(_EXPLAIN_OPTIONS.sub("", tokens[-1].text))
    elif first.upper() not in _READS:
        raise CliError(f"This command only reads: it does not run {first!r}.", "Ask with select.")
    elif word := next(_writing(tokens), None):
        raise CliError(f"This command only reads: it does not run {word!r}.", "A column of that name stands in quotes.")


def _writing(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield words that write behind a `with` or a parenthesis; names of such columns are quoted, or follow a point."""
    for before, token in pairwise([tokens[0], *tokens]):
        if token.text.upper() in _WRITES and token.token_type not in _TEXTS and before.token_type != TokenType.DOT:
            yield token.text


def literal(text: str) -> str:
    """Return SQL for a text; what no terminal shows is given by its number."""
    parts = (
        "'" + "".join(run).replace("'", "''") + "'" if shown else " || ".join(f"chr({ord(each)})" for each in run)
        for shown, run in groupby(text, str.isprintable)
    )
    return " || ".join(parts)


def as_of(sql: str, moment: int | datetime, tables: Container[str]) -> str:
    """Return the query with each of these tables as it was: at a snapshot, if it reads one table, or at a time.

    A table whose version the query names itself keeps that one.

    Raises:
        CliError: It is no query, reads none of the tables, or several at a snapshot, which is of one.
    """
    try:
        query = sqlglot.parse_one(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise CliError(f"What it reads of which table cannot be told: {error}", "Write FOR TIMESTAMP AS OF.") from error
    read = [
        source
        for scope in traverse_scope(query)
        for source in scope.sources.values()  # those of WITH are none
        if isinstance(source, exp.Table) and source.name.lower() in tables and not source.args.get("version")
    ]
    names = {source.name.lower() for source in read}
    if not names:
        raise CliError("The query reads no table of the catalog.", "`sluice tables` lists them.")
    if isinstance(moment, int) and len(names) > 1:
        raise CliError(
            f"A snapshot is of one table, and the query reads {', '.join(sorted(names))}.", "Say a time: --as-of TIME."
        )
    for source in read:
        source.set("version", _version(moment))
    return query.sql(dialect=_DIALECT)


def _version(moment: int | datetime) -> exp.Version:
    if isinstance(moment, int):
        return exp.Version(this="VERSION", kind="AS OF", expression=exp.Literal.number(moment))
    time = exp.Literal.string(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC")
    return exp.Version(this="TIMESTAMP", kind="AS OF", expression=exp.cast(time, _TIME, dialect=_DIALECT))


def nested_as_json(sql: str, tables: Mapping[str, Mapping[str, str]]) -> tuple[str, frozenset[str]]:
    """Return the statement with each array, map and row of its result cast to JSON, and the names of these columns.

    Athena writes nested values as text without quotes, which cannot be read back. `tables` maps each table to the Glue
    types of its columns. A statement that is no query, or that cannot be understood here, is returned as it is.
    """
    try:
        query = sqlglot.parse_one(sql, dialect=_DIALECT)
        if not isinstance(query, exp.Query):
            return sql, frozenset()
        schema = _schema(query, tables)
        query = annotate_types(qualify(query, schema=schema, dialect=_DIALECT, validate_qualify_columns=False), schema)
        names = {name for select in _outermost(query) for name in _cast_nested(select)}
    except SqlglotError:
        return sql, frozenset()
    return (query.sql(dialect=_DIALECT), frozenset(names)) if names else (sql, frozenset())


def _schema(query: exp.Query, tables: Mapping[str, Mapping[str, str]]) -> MappingSchema:
    """Return the columns of the tables that a query names; others may have none, or types unknown here."""
    typed: dict[str, object] = {
        name: {column: exp.DataType.build(kind, dialect="hive") for column, kind in tables[name].items()}
        for name in {table.name.lower() for table in query.find_all(exp.Table)} & tables.keys()
    }
    return MappingSchema(typed, dialect=_DIALECT)


def _outermost(query: exp.Expr) -> list[exp.Select]:
    """Return the selects whose rows are the result's: one, or those that a set operation combines."""
    if isinstance(query, exp.SetOperation):
        return [*_outermost(query.left), *_outermost(query.right)]
    if isinstance(query, exp.Subquery):
        return _outermost(query.this)
    return [query] if isinstance(query, exp.Select) else []


def _cast_nested(select: exp.Select) -> list[str]:
    for place, column in enumerate(select.selects):
        if column.alias == f"_col_{place}":  # what sqlglot calls a column without a name; Athena says this:
            column.set("alias", exp.to_identifier(f"_col{place}", quoted=True))
    nested = [column for column in select.selects if column.is_type(*exp.DataType.NESTED_TYPES)]
    for column in nested:
        column.replace(exp.alias_(exp.cast(column.unalias().copy(), "json"), column.alias_or_name, quoted=True))
    return [column.alias_or_name for column in nested]
