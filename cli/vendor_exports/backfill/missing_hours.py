"""Back-filling: which slots another bucket has that ours lacks, of the same flow only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from sluice.vendor_exports.delivery.list_files import safe_name
from sluice.vendor_exports.delivery.slots import MANIFEST, Environment, Slot, place_of

_HOURLY = re.compile(r"(?:DEV/)?IMOS(?:DL)?/Hourly/")  # IMOS is the root of the bucket before ours


class FlowError(ValueError):
    """A prefix is not known to hold the slots of the flow."""


class State(StrEnum):
    """What our folder of a slot is, beside the other bucket's."""

    MISSING = "missing"
    PARTIAL = "partial"
    DIFFERING = "differing"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a slot, as a listing tells it."""

    name: str
    size: int
    etag: str


Folder = Mapping[str, File]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What is to be done about a slot.

    Attributes:
        slot: The slot.
        state: What our folder is beside the other one.
        files: The files to copy.
        present: Names of the files that our folder holds.
        conflicts: Names of ours that the other bucket lacks or has differently.
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
        FlowError: The prefix holds the other flow, or nobody knows which.
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
        The folders, and how many objects are no file of a slot: keys are untrusted.
    """
    folders: dict[Slot, dict[str, File]] = {}
    ignored = 0
    for key, size, etag in listing:
        place = _place(root, key)
        if place is None:
            ignored += 1
        else:
            slot, name = place
            folders.setdefault(slot, {})[name] = File(name, size, etag)
    return folders, ignored


def compare(slot: Slot, theirs: Folder, ours: Folder) -> SlotPlan:
    """Say what is to be done about a slot, of which the other bucket holds files."""
    lacking = tuple(theirs[name] for name in sorted(theirs.keys() - ours.keys()))
    conflicts = tuple(sorted(name for name, file in ours.items() if _conflicts(file, theirs.get(name), bool(lacking))))
    state = _state(bool(ours), bool(lacking), bool(conflicts))
    files = lacking if state in {State.MISSING, State.PARTIAL} else ()
    return SlotPlan(slot, state, files, frozenset(ours), conflicts)


def proof_of(manifest: bytes) -> bytes | None:
    """Return a manifest as it may lie in the lake: key and size per file; None where it is no list of files.

    Older manifests hold the vendor's addresses with their signatures, which nobody is to find here.
    """
    try:
        entries = orjson.loads(manifest)
        proof = [{"key": entry["key"], "size": entry["size"]} for entry in entries]
    except (ValueError, TypeError, KeyError):
        return None
    plain = all(isinstance(entry["key"], str) and isinstance(entry["size"], int) for entry in proof)
    return orjson.dumps(proof) if plain and isinstance(entries, list) else None


def _conflicts(ours: File, theirs: File | None, lacking: bool) -> bool:
    if ours.name == MANIFEST:
        # A copy brings the manifest last. Where it lies beside gaps, another job may have promised other files.
        return lacking
    return theirs is None or theirs.size != ours.size


def _state(ours: bool, lacking: bool, conflicts: bool) -> State:
    if conflicts:
        return State.DIFFERING
    if not ours:
        return State.MISSING
    return State.PARTIAL if lacking else State.SAME


def _place(root: str, key: str) -> tuple[Slot, str] | None:
    if not key.startswith(root):
        return None
    flow = flow_of(root)
    place = place_of(f"{flow.hourly}{key[len(root) :]}", flow)
    if place is None or (place[1] != MANIFEST and safe_name(place[1]) != place[1]):
        return None
    return place
