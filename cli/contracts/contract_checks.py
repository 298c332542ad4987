"""The checks of one contract, each a generator of sentences that say what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.contracts.sample_checks import check_samples
from cli.contracts.time_checks import check_time
from cli.contracts.type_compatibility import (
    CORRECTED,
    EXACT,
    INT64,
    MisfitError,
    admitted_types,
    member_schema,
    require,
    require_bounds,
    require_fit,
)
from cli.contracts.validator_agreement import Referee, json_pointer
from sluice.contracts.compose import LISTS, MAPS, SINGLES, Schema
from sluice.contracts.event_struct import event_type
from sluice.contracts.hive import parse_hive
from sluice.contracts.model import (
    BODY,
    CORRECTION_RULES,
    PARTITION_KEYS,
    TECHNICAL_COLUMNS,
    Column,
    Contract,
    Family,
)

_TABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DIALECT_DEPENDENT = re.compile(r"\\[dDwWsSbB]|\$")
_ANYTHING = r"[\s\S]"
_CLOSED = frozenset({"additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"})


def check_contract(contract: Contract, family: Family, folder: Path) -> Iterator[str]:
    """Everything that is wrong with a contract, its samples in `folder` included."""
    yield from _check_names(contract)
    try:
        referee = Referee(contract.schema)
    except ValueError as error:
        yield f"schema.json is no valid schema, {error}"
        return
    yield from _check_schema(contract.schema)
    yield from _check_recognition(contract, family)
    yield from check_time(contract.schema)
    yield from _check_columns(contract)
    yield from _check_corrections(contract)
    yield from check_samples(contract, family, folder, referee)


def _check_names(contract: Contract) -> Iterator[str]:
    if not _TABLE_NAME.fullmatch(contract.table) or not contract.table.endswith(f"_{contract.kind}"):
        yield f"a table is named in capitals and ends with its kind, here _{contract.kind}: rename the folder"
    if not isinstance(contract.version, int) or contract.version < 1:
        yield f"version is {contract.version!r}; it is a whole number from 1"
    if not contract.doc:
        yield "doc is empty; say what a row of the table is"


def _check_schema(schema: Schema) -> Iterator[str]:
    """Numbers bounded, unknown members welcome, patterns that mean the same to every validator."""
    for where, part in _parts(schema, ()):
        types = admitted_types(part) or frozenset()
        limit = EXACT if "number" in types else INT64 if "integer" in types else None
        try:
            if limit and "type" in part:
                require_bounds(part, limit, json_pointer(where))
        except MisfitError as error:
            yield str(error)
        for keyword in sorted(_CLOSED & part.keys()):
            yield f"{json_pointer(where)} uses {keyword}; unknown members are welcome everywhere: remove it"
        if _DIALECT_DEPENDENT.search(part.get("pattern", "").replace(_ANYTHING, "")):
            yield (
                f"{json_pointer(where)} has the pattern {part['pattern']}, which validators read differently: "
                f"spell classes such as \\d out, and end with (?!{_ANYTHING}) in place of $"
            )


def _parts(schema: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:  # noqa: ANN401
    """Every schema in a schema that admits values, with its place; conditions admit none."""
    if not isinstance(schema, dict):
        return
    yield where, schema
    for key, value in schema.items():
        if key in MAPS:
            for name, part in value.items():
                yield from _parts(part, (*where, key, name))
        elif key in LISTS or key == "allOf":
            for index, part in enumerate(value):
                yield from _parts(part, (*where, key, str(index)))
        elif key in SINGLES - {"if", "not"}:
            yield from _parts(value, (*where, key))


def _check_recognition(contract: Contract, family: Family) -> Iterator[str]:
    if contract.kind not in family.kinds.values() or contract.kind not in BODY:
        yield f"family {family.name} has no kind {contract.kind!r}; it has {', '.join(family.kinds.values())}"
        return
    if not contract.services:
        yield "recognise.services is empty; name the service whose events these are"
    kinds = {name for name, kind in family.kinds.items() if kind == contract.kind}
    for path in (("detail-type",), ("detail", "type")):
        yield from _check_values(contract.schema, path, kinds)
    yield from _check_values(contract.schema, ("detail", BODY[contract.kind], "service"), set(contract.services))


def _check_values(schema: Schema, path: tuple[str, ...], wanted: set[str]) -> Iterator[str]:
    """The member's values in the schema must be those that recognition brings here."""
    try:
        member = member_schema(schema, path)
    except MisfitError as error:
        yield str(error)
        return
    stated = {member["const"]} if "const" in member else set(member.get("enum", ()))
    if stated - {None} != wanted:
        yield f"the schema admits {sorted(stated - {None})} as {'.'.join(path)}, recognition {sorted(wanted)}"


def _check_columns(contract: Contract) -> Iterator[str]:
    counts = Counter(column.name for column in contract.table_columns)
    yield from (f"column {name} is there {count} times" for name, count in counts.items() if count > 1)
    reserved = {*PARTITION_KEYS, *(column.name for column in TECHNICAL_COLUMNS)}
    for column in contract.columns:
        if column.name in reserved or not _COLUMN_NAME.fullmatch(column.name):
            yield f"column {column.name}: the name is reserved, or not of the form {_COLUMN_NAME.pattern}"
        if not column.doc:
            yield f"column {column.name}: doc is empty; say what it holds"
    misfits = [problem for column in contract.columns for problem in _check_column(column, contract)]
    yield from misfits or _check_places(contract)
    if not any((column.name, column.path) == ("date_time", ("time",)) for column in contract.columns):
        yield "there is no column date_time with the path time"


def _check_places(contract: Contract) -> Iterator[str]:
    try:
        event_type(contract.columns)
    except ValueError as error:
        yield str(error)


def _check_column(column: Column, contract: Contract) -> Iterator[str]:
    where = ".".join(column.path)
    try:
        schema = member_schema(contract.schema, column.path)
        for correction in contract.corrections:
            if correction.member == column.path and correction.rule in CORRECTED:
                schema = CORRECTED[correction.rule](schema, where)
        require_fit(schema, parse_hive(column.type), where)
    except (MisfitError, ValueError) as error:
        yield f"column {column.name} {column.type}: {error}"


def _check_corrections(contract: Contract) -> Iterator[str]:
    for correction in contract.corrections:
        if correction.rule not in CORRECTION_RULES:
            known = ", ".join(sorted(CORRECTION_RULES))
            yield f"there is no correction {correction.rule!r}; there are: {known}"
            continue
        try:
            schema = member_schema(contract.schema, correction.member)
            if correction.rule not in CORRECTED:
                require(schema, frozenset({"object"}), ".".join(correction.member))
        except MisfitError as error:
            yield f"correction {correction.rule}: {error}"
