"""Build-time checks of all contracts; each check is a generator of sentences that say what is wrong."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path

import orjson

from cli.contracts.keywords import check_family_members, check_table_members
from cli.contracts.recorded_types import check_recorded_types
from cli.contracts.samples import check_samples
from cli.contracts.schema_check import check_schema
from cli.contracts.type_compatibility import (
    RETYPING,
    MisfitError,
    corrected,
    is_readable,
    member_schema,
    require,
    require_fit,
    views,
)
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.family import ANY_TYPE, Family
from sluice.contracts.load import TABLES, Schema, load_contract, load_family
from sluice.contracts.model import (
    CORRECTION_RULES,
    PARTITION_KEYS,
    TECHNICAL_COLUMNS,
    Column,
    Contract,
    ContractError,
    Correction,
    event_type,
    parse_hive,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a table's contract or of a family, and its remedy."""

    table: str
    message: str


def check_registry(root: Path = TABLES) -> list[Problem]:
    """Check every contract under `root`; an empty list means that functions may rely on them."""
    problems: list[Problem] = []
    families: list[Family] = []
    contracts: list[Contract] = []
    for path in sorted(root.resolve().glob("*/family.json")):
        try:
            families.append(load_family(path.parent))
        except ContractError as error:
            problems.append(Problem(path.parent.name, str(error)))
        else:
            problems += (Problem(path.parent.name, message) for message in check_family_members(path.parent))
            problems += _check_family(path.parent, contracts)
    if not families and not problems:
        problems.append(Problem("-", f"{root}: there is no family here, a folder with a family.json"))
    return [*problems, *_disputes(families, contracts)]


def _check_family(folder: Path, contracts: list[Contract]) -> Iterator[Problem]:
    """Check the contracts of a family; those that load are added to `contracts`."""
    for table in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            contract = load_contract(table)
        except ContractError as error:
            yield Problem(table.name, str(error))
        else:
            contracts.append(contract)
            yield from (Problem(table.name, message) for message in check_contract(contract, table))


def _disputes(families: list[Family], contracts: list[Contract]) -> Iterator[Problem]:
    """Find sources, services and table names that more than one family or contract claims."""
    claims: dict[str, list[str]] = defaultdict(list)
    for family in families:
        claims[f"source {family.source.lower()}"].append(family.name)
    for contract in contracts:
        claims[f"table name {contract.table.lower()}"].append(f"{contract.family.name}/{contract.table}")
        for service in contract.services:
            claims[f"{contract.kind} of service {service} in {contract.family.name}"].append(contract.table)
    for claim, owners in claims.items():
        if len(owners) > 1:
            message = f"{claim} is claimed by {' and '.join(owners)}; leave it to one of them"
            yield Problem(owners[-1].rpartition("/")[2], message)


_TABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_contract(contract: Contract, folder: Path) -> Iterator[str]:
    """Yield the problems of a contract, those of its samples in `folder` included."""
    yield from _check_names(contract)
    yield from check_table_members(folder)
    yield from check_recorded_types(contract, folder)
    try:
        validator = DualValidator(contract.schema)
    except ValueError as error:
        yield f"schema.json is no valid schema, {error}"
        return
    yield from check_schema(contract.schema)
    yield from _check_recognition(contract)
    yield from _errors(lambda: _require_time(contract.schema, contract.family.time))
    yield from _check_columns(contract)
    yield from _check_corrections(contract)
    yield from check_samples(contract, folder, validator)


def _errors(step: Callable[[], object], subject: str = "") -> Iterator[str]:
    """Yield the error that a step raises."""
    try:
        step()
    except ValueError as error:
        yield f"{subject}{error}"


def _check_names(contract: Contract) -> Iterator[str]:
    if not _TABLE_NAME.fullmatch(contract.table) or not contract.table.endswith(f"_{contract.kind}"):
        yield f"a table is named in capitals and ends with its kind, here _{contract.kind}: rename the folder"
    if not isinstance(contract.version, int) or contract.version < 1:
        yield f"version is {contract.version!r}; it is a whole number from 1"
    if not contract.doc:
        yield "doc is empty; say what a row of the table is"


def _check_recognition(contract: Contract) -> Iterator[str]:
    family = contract.family
    if contract.kind not in family.kinds.values():
        yield f"family {family.name} has no kind {contract.kind!r}; it has {', '.join(family.kinds.values())}"
        return
    if not contract.services:
        yield "recognise.services is empty; name the service whose events these are"
    kinds = {name for name, kind in family.kinds.items() if kind == contract.kind}
    if ANY_TYPE not in kinds:
        yield from _errors(lambda: _require_values(contract.schema, ("detail-type",), kinds))
    yield from _errors(lambda: _require_values(contract.schema, contract.places[0].path, set(contract.services)))


def _require_values(schema: Schema, path: tuple[str, ...], wanted: set[str]) -> None:
    """Require that the schema admits the values of the member by which events are recognised."""
    member = member_schema(schema, path)
    stated = {member["const"]} if "const" in member else set(member.get("enum", ()))
    if stated - {None} != wanted:
        raise MisfitError(
            f"the schema admits {sorted(stated - {None})} as {'.'.join(path)}, recognition {sorted(wanted)}"
        )


def _check_columns(contract: Contract) -> Iterator[str]:
    counts = Counter(column.name for column in contract.table_columns)
    yield from (f"column {name} is there {count} times" for name, count in counts.items() if count > 1)
    reserved = {*PARTITION_KEYS, *(column.name for column in TECHNICAL_COLUMNS)}
    for column in contract.columns:
        if column.name in reserved or not _COLUMN_NAME.fullmatch(column.name):
            yield f"column {column.name}: the name is reserved, or not of the form {_COLUMN_NAME.pattern}"
        if not column.doc:
            yield f"column {column.name}: doc is empty; say what it holds"
        if not is_readable(column.path):
            yield f"column {column.name}: conversion reads no NUL in names, nor members named like a technical column"
    misfits = [
        problem
        for column in contract.columns
        for problem in _errors(partial(_require_column, column, contract), f"column {column.name} {column.type}: ")
    ]
    yield from misfits or _errors(lambda: event_type(contract.columns))
    for name, path in (("date_time", contract.family.time), ("id", contract.family.id)):
        if not any((column.name, column.path, column.type) == (name, path, "string") for column in contract.columns):
            yield f"there is no column {name} of type string with the path {'.'.join(path)}"


def _require_column(column: Column, contract: Contract) -> None:
    where = ".".join(column.path)
    schema = member_schema(contract.schema, column.path)
    for correction in contract.corrections:
        if correction.member == column.path:
            schema = corrected(correction.rule, schema, where)
    require_fit(schema, parse_hive(column.type), where)


def _check_corrections(contract: Contract) -> Iterator[str]:
    for correction in contract.corrections:
        if correction.rule in CORRECTION_RULES:
            yield from _errors(partial(_require_member, correction, contract), f"correction {correction.rule}: ")
        else:
            known = ", ".join(sorted(CORRECTION_RULES))
            yield f"there is no correction {correction.rule!r}; there are: {known}"


def _require_member(correction: Correction, contract: Contract) -> None:
    schema = member_schema(contract.schema, correction.member)
    if correction.rule not in RETYPING:
        require(schema, frozenset({"object"}), ".".join(correction.member))


_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)  # that partitions cover
_DAYS = frozenset(str(date.fromordinal(day)) for day in range(_FIRST_DAY.toordinal(), _LAST_DAY.toordinal() + 1))
_UTC_TIME = re.compile(r"(.{10})T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d{1,9})?(Z|\+00:00)", re.ASCII)
_TIME = "2022-04-19T18:20:03Z"
_NO_TEXTS: tuple[object, ...] = (None, True, 5, 5.0, [], {})
_JUNK = ("x", "0", " ", "\n", "-")
_ENDS = (".Z", ".9Z", ".123456789+00:00", "+00:00", "z", "+01:00", "-00:00", "+0000", "+00", " Z", "ZZ", "Z+00:00")


def _require_time(schema: Schema, path: tuple[str, ...]) -> None:
    """Try the schema of an event's time, which names the partition and is parsed no further."""
    for depth, name in enumerate(path):
        if not any(name in view.get("required", ()) for view in views(member_schema(schema, path[:depth]))):
            raise MisfitError(f"the schema does not require {'.'.join(path)}, which the partition is derived from")
    if misjudged := _misjudged(orjson.dumps(member_schema(schema, path))):
        found = f"{len(misjudged)}, such as {misjudged[0]!r}"
        raise MisfitError(f"of the times tried the schema misjudges {found}: use the shared utc_time")


@cache
def _misjudged(schema: bytes) -> tuple[object, ...]:
    """Return the valid times that the schema refuses and the invalid ones that it accepts."""
    is_valid = DualValidator(orjson.loads(schema)).is_valid
    return tuple(value for value in _times() if is_valid(value) != _is_time(value))


def _is_time(value: object) -> bool:
    found = _UTC_TIME.fullmatch(value) if isinstance(value, str) else None
    return found is not None and found[1] in _DAYS


def _times() -> Iterator[object]:
    """Yield values to try: times with one fault, every day that a partition covers, and texts of the same form."""
    yield from (*_NO_TEXTS, "", "2022-04-19", _TIME)
    yield from (f"{_TIME[:-1]}{end}" for end in _ENDS)
    yield from (time for junk in _JUNK for time in (f"{junk}{_TIME}", f"{_TIME}{junk}"))
    for place in range(len(_TIME)):
        yield from (f"{_TIME[:place]}{other}{_TIME[place + 1 :]}" for other in ("", "x", " ", "t", "\u0662"))
    yield from (f"{day}{_TIME[10:]}" for day in _written_days())
    for number in range(100):
        yield from (f"{_TIME[:place]}{number:02}{_TIME[place + 2 :]}" for place in (11, 14, 17))


def _written_days() -> Iterator[str]:
    yield from (f"{year:04}-01-01" for year in range(10_000))
    for year in range(_FIRST_DAY.year - 1, _LAST_DAY.year + 2):
        yield from (f"{year}-{month:02}-{day:02}" for month in range(14) for day in range(33))
    yield from (f"{_FIRST_DAY.year}-{month:02}-{day:02}" for month in range(100) for day in range(100))
