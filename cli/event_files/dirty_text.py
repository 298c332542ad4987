"""The text of a dirty record for a terminal: member by member, what breaks a rule marked, all else cut short."""

import base64
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson
from rich.text import Text

from cli.event_files.dirty_selection import in_words
from cli.platform.console import visible
from sluice.contracts.load import steps_of

_PARSED = 1 << 20  # characters of a text that is taken apart
_AROUND = 120  # characters before and behind a flaw
_VALUE = 160  # characters of a value
_MEMBERS = 30  # of an object, or items of a list, that are shown beside the marked ones
_FLAW = re.compile(r"byte ([0-9,]+) of the content")

Path = tuple[str, ...]


def marked(record: Mapping[str, Any]) -> Text:
    """Return the text of a record with what its errors point to marked; the console makes it harmless."""
    raw = record["raw"]
    if raw is not None and len(raw) <= _PARSED and record["pieces"] == 1:
        try:
            event = orjson.loads(raw)
        except orjson.JSONDecodeError:
            pass
        else:
            wrong = {steps_of(each["pointer"]): in_words(record["reason"], each) for each in record["errors"] or ()}
            return Text("\n").join(_lines(event, (), wrong, "  "))
    return _flaw(record)


def _lines(value: Any, at: Path, wrong: Mapping[Path, str], indent: str) -> Iterator[Text]:  # noqa: ANN401
    """Yield the members of an object or the items of a list, those on the way to what is wrong taken apart."""
    ahead = {path[len(at)] for path in wrong if len(path) > len(at) and path[: len(at)] == at}
    named = value.items() if isinstance(value, dict) else ((str(place), each) for place, each in enumerate(value))
    kept = 0
    for name, member in named:
        path = (*at, name)
        kept += name not in ahead
        if name not in ahead and kept > _MEMBERS:
            continue
        deeper = any(len(each) > len(path) and each[: len(path)] == path for each in wrong)
        if deeper and isinstance(member, dict | list):
            yield _line(indent, name, "", wrong.get(path))
            yield from _lines(member, path, wrong, indent + "  ")
        else:
            yield _line(indent, name, _short(member), wrong.get(path))
    if kept > _MEMBERS:
        yield Text(f"{indent}… {kept - _MEMBERS:,} more", "dim")
    there = set(value) if isinstance(value, dict) else {str(place) for place in range(len(value))}
    for name in islice(sorted(ahead - there), _MEMBERS):
        yield _line(indent, name, "", wrong.get((*at, name), "it is missing"))


def _line(indent: str, name: str, value: str, why: str | None) -> Text:
    text = f"{_cut(name)}: {value}"
    return Text.assemble(indent, (text, "bold red"), (f"   ← {why}", "red")) if why else Text(f"{indent}{text}")


def _short(value: Any) -> str:  # noqa: ANN401
    try:
        return _cut(orjson.dumps(value).decode())
    except orjson.JSONEncodeError:  # nested deeper than can be written
        return "…"


def _cut(text: str) -> str:
    return visible(text if len(text) <= _VALUE else f"{text[:_VALUE]}…")


def _flaw(record: Mapping[str, Any]) -> Text:
    """Return the text around the byte that an error names, or its beginning."""
    raw = record["raw"].encode() if record["raw"] is not None else base64.b64decode(record["raw_base64"] or "")
    found = _FLAW.search("".join(each["message"] for each in record["errors"] or ()))
    at = int(found[1].replace(",", "")) - record["source_offset"] if found else -1
    if not 0 <= at <= len(raw):
        more = "…" if len(raw) > 2 * _AROUND else ""
        return Text(f"  {_decoded(raw[: 2 * _AROUND])}{more}")
    before, behind = _decoded(raw[max(0, at - _AROUND) : at]), _decoded(raw[at + 1 : at + _AROUND])
    flaw = _decoded(raw[at : at + 1]) or "(its end)"
    return Text.assemble(f"  {'…' if at > _AROUND else ''}{before}", (flaw, "bold reverse red"), behind)


def _decoded(raw: bytes) -> str:
    return visible(raw.decode(errors="backslashreplace"))
