"""Rows of an endpoint against its contract: clean ones become rows of its table, dirty ones keep every reason."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import jsonschema_rs
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sluice.api_pull.contracts import POSITION, SNAPSHOT_DATE, EndpointContract
from sluice.api_pull.progress import Counts

_MASK = "the value"  # stands where a message would quote the value
_MOST_UNKNOWN = 100  # names of unknown members that are counted
_LONGEST_NAME = 100  # characters of these
_KEY_REASONS = {"missing": "null_key", "null": "null_key"}

Row = dict[str, Any]
Keys = Mapping[str, pa.Array]
"""Keys that rows may refer to, by their endpoint."""


class Break(NamedTuple):
    """Says why a row, or one item of it, is dirty: `pointer` leads to the value, `reason` is what is counted."""

    reason: str
    pointer: str
    message: str

    @property
    def item(self) -> int | None:
        """Place of the item that it is about; None where it is about the row."""
        steps = self.pointer.split("/")
        return int(steps[2]) if len(steps) > 2 else None  # noqa: PLR2004 - "", the member, the place


class Place(NamedTuple):
    """Place where a row was delivered: key of the raw object, number of the page, place in the page."""

    key: str
    page: int
    row: int


@dataclass(slots=True)
class _Kept:
    """A row that is clean but for some of its items; `items` are their places in the row."""

    row: Row
    rescued: str | None
    place: Place
    items: Collection[int] = ()


class RowChecker:
    """Checks the rows of an endpoint, a part of them at a time; keys that were `seen` are those of all parts.

    With `union`, of rows with one key the first counts and the others are none; else these are dirty.
    """

    def __init__(self, contract: EndpointContract, counts: Counts, seen: set[int], *, union: bool = False) -> None:
        """Compile the contract's schema, once as it is, and once so that unknown members break it."""
        closed = {**contract.schema, "additionalProperties": False}
        self._is_usual = jsonschema_rs.Draft202012Validator(closed).is_valid
        self._breaks = jsonschema_rs.Draft202012Validator(contract.schema, mask=_MASK).iter_errors
        self._contract = contract
        self._known = frozenset(contract.schema["properties"])
        self._times = tuple(column.path[0] for column in contract.columns if column.type == "timestamp")
        self._counts = counts
        self._seen = seen
        self._union = union

    def check(self, rows: Iterable[tuple[Place, object]], keys: Keys, dirty: list[bytes]) -> list[_Kept]:
        """Return the rows that are clean, or have clean items; add records of what is not to `dirty`."""
        kept = []
        for place, row in rows:
            found = self._checked(place, row, dirty)
            if found:
                kept.append(found)
        return list(self._referring(kept, keys, dirty))

    def table(self, kept: list[_Kept], schema: pa.Schema, snapshot_date: str) -> pa.Table:
        """Return clean rows as the lake's table has them, in its `schema`."""
        member = self._contract.row_per_item_of
        sizes = [len(each.row[member] or ()) - len(each.items) for each in kept] if member else [1] * len(kept)
        columns = {column.name: self._values(column.path, kept) for column in self._contract.columns}
        self._count_clean(columns, sum(sizes))
        columns["_rescued"] = [each.rescued for each in kept]
        columns["_source_key"] = [each.place.key for each in kept]
        columns["_source_page"] = [each.place.page for each in kept]
        arrays = {name: _array(values, schema.field(name).type) for name, values in columns.items()}
        if member:
            origin = pa.array(chain.from_iterable([at] * size for at, size in enumerate(sizes)), pa.int64())
            of_items = {POSITION, self._contract.column_of(member)}
            arrays = {name: each if name in of_items else each.take(origin) for name, each in arrays.items()}
        day = datetime.fromisoformat(snapshot_date).date()
        arrays[SNAPSHOT_DATE.name] = pa.repeat(pa.scalar(day, pa.date32()), sum(sizes))
        return pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema)

    def _values(self, path: tuple[str, ...], kept: list[_Kept]) -> list[Any]:
        """Return the values of a column; one of items has those of each clean item, or their places from 1."""
        member = self._contract.row_per_item_of
        if path and path[0] != member:
            return [each.row[path[0]] for each in kept]
        if not path:
            return [at + 1 for each in kept for at in _clean_places(each, member)]
        whole = (each.row[member] or () if not each.items else _clean_items(each, member) for each in kept)
        return list(chain.from_iterable(whole))

    def _count_clean(self, columns: Mapping[str, list[Any]], rows: int) -> None:
        self._counts.clean += rows
        for name, values in columns.items():
            if nulls := values.count(None):
                self._counts.nulls[name] += nulls
        times = zip(columns["created_at"], columns["updated_at"], strict=True)
        self._counts.updated_before_created += sum(updated < created for created, updated in times)

    def _checked(self, place: Place, row: object, dirty: list[bytes]) -> _Kept | None:
        """Check a row by itself; what is dirty of it, all or some items, is written down."""
        self._counts.rows += 1
        if not isinstance(row, dict):
            self._counts.dirty_rows += 1
            self._write_down(dirty, place, row, [Break("not_an_object", "", "the row is no JSON object")])
            return None
        rescued, breaks = None, list[Break]()
        if not self._is_usual(row):
            rescued = self._rescue(row)
            breaks = list(self._breaks_of(row))
        if not breaks:
            breaks = [Break(f"bad_{name}", f"/{name}", "there is no such time") for name in self._no_times(row)]
        key = row.get(self._contract.key)
        if type(key) is int or (type(key) is float and key.is_integer()):
            if key in self._seen:
                if self._union:
                    self._counts.rows -= 1
                    return None
                pointer = f"/{self._contract.key}"
                breaks.append(Break("duplicate_key", pointer, "an earlier row has the same key"))
            self._seen.add(int(key))
        if breaks:
            self._counts.dirty_rows += 1
            self._write_down(dirty, place, row, breaks)
            if any(each.item is None for each in breaks):
                self._counts.nulls.update(
                    self._contract.column_of(name) for name in self._known if name in row and row[name] is None
                )
                return None
        return _Kept(row, rescued, place, {each.item for each in breaks if each.item is not None})

    def _no_times(self, row: Row) -> list[str]:
        """Return the members that are written like a time and are none: the 30th of February, say."""
        try:
            for name in self._times:
                datetime.fromisoformat(row[name])
        except ValueError:
            return [name for name in self._times if not _is_time(row[name])]
        return []

    def _breaks_of(self, row: Row) -> Iterator[Break]:
        absent, mistyped = set[str](), set[str]()
        for error in self._breaks(row):
            is_absent = isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required)
            is_type = isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type)
            steps = [*error.instance_path, *_missing(error)]
            member = str(steps[0]) if steps else ""
            kind = "missing" if is_absent else "bad" if not is_type else "null" if error.instance is None else "type"
            if kind in {"missing", "type"}:
                (absent if is_absent else mistyped).add(member)
            name = self._contract.column_of(member) if len(steps) > 1 else member
            reason = _KEY_REASONS.get(kind, "") if member == self._contract.key else ""
            pointer = "".join(f"/{step}" for step in steps)
            yield Break(reason or f"{kind}_{name}", pointer, error.message)
        self._counts.absent.update(absent)
        self._counts.mistyped.update(mistyped)

    def _rescue(self, row: Row) -> str | None:
        unknown = {name: value for name, value in row.items() if name not in self._known}
        for name in unknown:
            shown = name[:_LONGEST_NAME]
            if shown in self._counts.unknown or len(self._counts.unknown) < _MOST_UNKNOWN:
                self._counts.unknown[shown] += 1
        pointers = {"/" + name.replace("~", "~0").replace("/", "~1"): value for name, value in unknown.items()}
        return orjson.dumps(pointers).decode() if pointers else None

    def _referring(self, kept: list[_Kept], keys: Keys, dirty: list[bytes]) -> Iterator[_Kept]:
        """Yield rows without what refers to a key that is not there: the row, or those of its items."""
        lost: dict[int, list[Break]] = {}
        member = self._contract.row_per_item_of
        for reference in self._contract.references:
            reason = f"unknown_{reference.column.removesuffix('_id')}"
            message = f"there is no such key in {reference.endpoint}"
            is_item = self._contract.column_of(member) == reference.column
            for at, item in _unknown(kept, member if is_item else reference.column, keys[reference.endpoint], is_item):
                pointer = f"/{member}/{item}" if is_item else f"/{reference.column}"
                lost.setdefault(at, []).append(Break(reason, pointer, message))
        for at, each in enumerate(kept):
            breaks = lost.get(at, [])
            if breaks:
                self._counts.dirty_rows += not each.items
                self._write_down(dirty, each.place, each.row, breaks)
                each.items = {*each.items, *(one.item for one in breaks if one.item is not None)}
            if all(one.item is not None for one in breaks):
                yield each

    def _write_down(self, dirty: list[bytes], place: Place, row: object, breaks: list[Break]) -> None:
        """Add a record of what is dirty in a row, and count it: items one by one, the row once per reason."""
        self._counts.dirty.update(reason for reason, _ in {(each.reason, each.item) for each in breaks})
        record = {
            "reasons": sorted({each.reason for each in breaks}),
            "errors": [each._asdict() for each in breaks],
            "table": self._contract.table,
            "contract_version": self._contract.version,
            "endpoint": self._contract.endpoint,
            "source_key": place.key,
            "source_page": place.page,
            "source_row": place.row,
            "raw": row,
        }
        dirty.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def _is_time(text: str) -> bool:
    with suppress(ValueError):
        datetime.fromisoformat(text)
        return True
    return False


def _missing(error: jsonschema_rs.ValidationError) -> list[str]:
    kind = error.kind
    return [kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else []


def _clean_places(kept: _Kept, member: str) -> Iterable[int]:
    places = range(len(kept.row[member] or ()))
    return [at for at in places if at not in kept.items] if kept.items else places


def _clean_items(kept: _Kept, member: str) -> list[Any]:
    return [kept.row[member][at] for at in _clean_places(kept, member)]


def _unknown(kept: list[_Kept], member: str, keys: pa.Array, is_item: bool) -> Iterator[tuple[int, int]]:
    """Yield the places of rows, and of items in them (0 for a row), whose values are not among the keys."""
    places: list[tuple[int, int]] = []
    if is_item:
        values = list(chain.from_iterable(_clean_items(each, member) for each in kept))
    else:
        values = [each.row[member] for each in kept]
    known = pc.is_in(_array(values, pa.int64()), value_set=keys)
    if pc.all(known).as_py() is not False:
        return
    if is_item:
        places = [(at, item) for at, each in enumerate(kept) for item in _clean_places(each, member)]
    else:
        places = [(at, 0) for at in range(len(kept))]
    for at in pc.indices_nonzero(pc.invert(known)).to_pylist():
        yield places[at]


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    """Return values of a column as an array; whole numbers may be written as 1.0, times as text."""
    if pa.types.is_timestamp(type_):
        return pa.array(map(datetime.fromisoformat, values), type_)
    if pa.types.is_integer(type_) and float in set(map(type, values)):
        values = [None if value is None else int(value) for value in values]
    return pa.array(values, type_)
