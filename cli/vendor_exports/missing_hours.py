"""Plan the back-fill of slots from another bucket: of the same flow only, and never over files of the lake."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.manifest import safe_name
from sluice.vendor_exports.delivery.slots import MANIFEST, Slot, place_of

_HOURLY = re.compile(r"(?:DEV/)?IMOS(?:DL)?/Hourly/")  # IMOS is the root of the bucket before ours


class FlowError(ValueError):
    """A prefix does not hold the slots of the flow."""


class State(StrEnum):
    """State of a slot's folder in the lake, compared with the other bucket's."""

    MISSING = "missing"
    PARTIAL = "partial"
    DIFFERING = "differing"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a slot, as listed."""

    name: str
    size: int
    etag: str


Folder = Mapping[str, File]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """Files of a slot to copy.

    Attributes:
        slot: The slot.
        state: State of the lake's folder.
        files: The files to copy.
        present: Names of the files in the lake's folder.
        conflicts: Names of those that the other bucket lacks or has differently.
    """

    slot: Slot
    state: State
    files: tuple[File, ...]
    present: frozenset[str]
    conflicts: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Bytes to copy."""
        return sum(file.size for file in self.files)


def hourly_root(prefix: str, environment: Environment) -> str:
    """Return the prefix of the folders of all slots that a text names; the lake's own when it is empty.

    Raises:
        FlowError: The prefix holds the other flow, or an unknown one.
    """
    if not prefix:
        return environment.hourly
    root = prefix if prefix.endswith("/") else f"{prefix}/"
    if not _HOURLY.fullmatch(root):
        known = f"{environment.hourly} and {environment.hourly.replace('IMOSDL', 'IMOS')}"
        raise FlowError(f"{prefix!r} is no prefix of a known flow; those of {environment} are {known}")
    flow = flow_of(root)
    if flow is not environment:
        raise FlowError(f"{prefix!r} holds the {flow} flow, and this stage's is {environment}; they are never mixed")
    return root


def flow_of(root: str) -> Environment:
    """Return the flow of a known root: whatever lies below ``DEV/`` is of Test."""
    return Environment.TEST if root.startswith("DEV/") else Environment.PROD


def key_of(root: str, slot: Slot, name: str) -> str:
    """Return the key of a slot's file below the root of all slots."""
    return f"{root}{slot.hour:%Y%m%d/%H}/{name}"


def sort_in(root: str, listing: Iterable[tuple[str, int, str]]) -> tuple[dict[Slot, dict[str, File]], int]:
    """Sort a listing of keys, bytes and ETags into the folders of slots.

    Returns:
        The folders, and the number of objects that are no file of a slot: keys are untrusted.
    """
    folders: dict[Slot, dict[str, File]] = {}
    ignored = 0
    for key, size, etag in listing:
        if found := _slot_of(root, key):
            slot, name = found
            folders.setdefault(slot, {})[name] = File(name, size, etag)
        else:
            ignored += 1
    return folders, ignored


def compare(slot: Slot, theirs: Folder, ours: Folder) -> SlotPlan:
    """Plan the copy of a slot that the other bucket holds files of."""
    lacking = tuple(theirs[name] for name in sorted(theirs.keys() - ours.keys()))
    conflicts = tuple(sorted(name for name, file in ours.items() if _conflicts(file, theirs.get(name), bool(lacking))))
    state = _state(bool(ours), bool(lacking), bool(conflicts))
    files = lacking if state in {State.MISSING, State.PARTIAL} else ()
    return SlotPlan(slot, state, files, frozenset(ours), conflicts)


def redacted_manifest(manifest: bytes) -> bytes | None:
    """Return a manifest with key and size per file only; None where it is no list of files.

    Older manifests hold presigned URLs, whose signatures must not reach the lake.
    """
    try:
        entries = orjson.loads(manifest)
        kept = [{"key": entry["key"], "size": entry["size"]} for entry in entries]
    except (ValueError, TypeError, KeyError):
        return None
    is_plain = all(isinstance(entry["key"], str) and isinstance(entry["size"], int) for entry in kept)
    return orjson.dumps(kept) if is_plain and isinstance(entries, list) else None


def _conflicts(ours: File, theirs: File | None, lacking: bool) -> bool:
    if ours.name == MANIFEST:
        # A copy writes the manifest last. If files are missing beside it, another job may have promised other files.
        return lacking
    return theirs is None or theirs.size != ours.size


def _state(ours: bool, lacking: bool, conflicts: bool) -> State:
    if conflicts:
        return State.DIFFERING
    if not ours:
        return State.MISSING
    return State.PARTIAL if lacking else State.SAME


def _slot_of(root: str, key: str) -> tuple[Slot, str] | None:
    if not key.startswith(root):
        return None
    flow = flow_of(root)
    place = place_of(f"{flow.hourly}{key[len(root) :]}", flow)
    if place is None or (place[1] != MANIFEST and safe_name(place[1]) != place[1]):
        return None
    return place
