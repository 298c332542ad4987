"""A folder in the place of the lake bucket."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from sluice.event_files.convert.model import Span
from sluice.event_files.convert.ports import MissingObjectError


class Folder:
    """Objects as files: read from one folder, written to another."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target

    def read(self, key: str) -> bytes:
        try:
            return (self._source / key).read_bytes()
        except FileNotFoundError:
            raise MissingObjectError(key) from None

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        return [self.read(key) for key in keys]

    def read_spans(self, spans: Sequence[Span]) -> bytes:
        return b"".join(map(self._read_span, spans))

    def exists(self, key: str) -> bool:
        return (self._target / key).exists()

    def write(self, key: str, body: bytes | IO[bytes]) -> None:
        path = self._target / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.read())

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        for key, body in bodies.items():
            self.write(key, body)

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self._target / key).unlink(missing_ok=True)

    def _read_span(self, span: Span) -> bytes:
        with (self._source / span.key).open("rb") as file:
            file.seek(span.offset)
            return file.read(span.length)
