"""From a listing of slots' folders to what lay in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sluice.exports.slots import MANIFEST, MASTER_SCHEMA, Environment, Slot, table_of
from sluice.history.model import Observation
from sluice.history.ports import Folders
from sluice.history.schemas import MAX_SCHEMA_BYTES, Schema, read_schema


@dataclass(slots=True)
class _Folder:
    files: int = 0
    size: int = 0
    tables: set[str] = field(default_factory=set)
    has_schema: bool = False

    def add(self, name: str, size: int) -> None:
        if name in {"", MANIFEST}:  # some clients leave an empty object that stands for the folder
            return
        self.files += 1
        self.size += size
        if table := table_of(name):
            self.tables.add(table)
        elif name == MASTER_SCHEMA:
            self.has_schema = True


def observe(
    folders: Folders, environment: Environment, slots: Sequence[Slot], observed_at: datetime
) -> list[Observation]:
    """Look at the folders of some slots.

    Args:
        folders: Where exports land.
        environment: The flow.
        slots: The slots to look at, each once.
        observed_at: When the look began, UTC.

    Returns:
        One observation per slot, in the order of `slots`; a slot without any file has one too.
    """
    prefixes = [slot.folder(environment) for slot in slots]
    found = _sort_in(folders.list_all(prefixes), prefixes)
    schemas = _read_schemas(folders, found)
    return [
        Observation(slot, observed_at, folder.files, folder.size, tuple(sorted(folder.tables)), schemas.get(prefix))
        for slot, (prefix, folder) in zip(slots, found.items(), strict=True)
    ]


def _sort_in(listing: Iterable[tuple[str, int]], prefixes: Iterable[str]) -> dict[str, _Folder]:
    found = {prefix: _Folder() for prefix in prefixes}
    for key, size in listing:
        end = key.rfind("/") + 1
        folder = found.get(key[:end])
        if folder is not None:
            folder.add(key[end:], size)
    return found


def _read_schemas(folders: Folders, found: dict[str, _Folder]) -> dict[str, Schema | None]:
    prefixes = [prefix for prefix, folder in found.items() if folder.has_schema]
    bodies = folders.read_all([prefix + MASTER_SCHEMA for prefix in prefixes], MAX_SCHEMA_BYTES)
    return {prefix: None if body is None else read_schema(body) for prefix, body in zip(prefixes, bodies, strict=True)}
