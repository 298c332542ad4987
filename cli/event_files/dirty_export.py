"""Dirty events as files to repair: one event a line, and beside each file where its lines came from."""

import base64
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from cli.platform.console import CliError

_ORIGIN = ("id", "source_bucket", "source_key", "source_etag", "source_offset", "source_length", "reason", "errors")
_BREAKS = bytes.maketrans(
    b"\r\n", b"  "
)  # between the tokens of JSON they are as good as spaces; in texts there are none
PIECES = "pieces"


def export_records(records: Iterable[Mapping[str, Any]], to: Path) -> Counter[str]:
    """Write records into a folder that appears when all of them are there; return the counts by file.

    Raises:
        CliError: There is something in the folder already, or it cannot be written.
    """
    try:
        if to.exists() and any(to.iterdir()):
            raise CliError(f"{to} is not empty.", "Name a new folder: nothing that was repaired is overwritten.")
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as made:
            folder = Path(made) / "whole"
            folder.mkdir()
            counts = _write(records, folder)
            if counts:
                folder.replace(to)
    except OSError as error:
        raise CliError(f"{to} cannot be written: {error.strerror}.", "Name another folder.") from error
    return counts


def _write(records: Iterable[Mapping[str, Any]], folder: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}

        def write(name: str, line: bytes) -> None:
            if name not in files:
                files[name] = stack.enter_context((folder / name).open("wb"))
            files[name].write(line + b"\n")

        for record in records:
            raw = _raw_of(record)
            origin = {name: record[name] for name in _ORIGIN} | {"digest": hashlib.sha256(raw).hexdigest()}
            name = record["table_name"] or "UNKNOWN"
            if line := _line(record, raw):
                counts[f"{name}.jsonl"] += 1
                origin |= {"line": counts[f"{name}.jsonl"], "line_digest": hashlib.sha256(line).hexdigest()}
                write(f"{name}.jsonl", line)
                write(f"{name}.origins.jsonl", json.dumps(origin).encode())
            else:
                (folder / PIECES).mkdir(exist_ok=True)
                piece = f"{PIECES}/{record['id']}.bin"
                (folder / piece).write_bytes(raw)
                counts[PIECES] += 1
                write(f"{PIECES}.origins.jsonl", json.dumps({**origin, "file": piece}).encode())
    return counts


def _raw_of(record: Mapping[str, Any]) -> bytes:
    """Return a record's bytes as delivered, of one that is too large its beginning."""
    if record["raw"] is None:
        return base64.b64decode(record["raw_base64"] or "")
    text: str = record["raw"]
    return text.encode()


def _line(record: Mapping[str, Any], raw: bytes) -> bytes | None:
    """Return an event as one line; None for what is no JSON object of its own."""
    if record["pieces"] > 1 or len(raw) != record["source_length"]:
        return None
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return raw.translate(_BREAKS) if isinstance(event, dict) else None
