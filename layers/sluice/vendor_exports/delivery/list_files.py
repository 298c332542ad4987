"""From the vendor's list to a manifest: every entry is untrusted, and none is lost without a word."""

from collections.abc import Iterable, Iterator, Sequence

from sluice.vendor_exports.client.answers import Offer
from sluice.vendor_exports.delivery.model import CopyBatch, Manifest, Promise
from sluice.vendor_exports.delivery.slots import MANIFEST

_LONGEST_NAME = 255  # bytes; with the folder still far below what S3 takes
_LONGEST_KEY = 1024  # characters; no key of S3 is longer
_SHOWN = 80
_NAMELESS = {"", ".", ".."}


def safe_name(key: str) -> str | None:
    """Return the name a file lands under: the last part of its key, whatever its folders; None where that is none.

    The vendor's own file of the name of our manifest gets another underscore in front.
    """
    name = key.replace("\\", "/").rpartition("/")[2]
    if name in _NAMELESS or not name.isprintable():
        return None
    if len(key) > _LONGEST_KEY or len(name.encode()) > _LONGEST_NAME:
        return None
    return f"_{name}" if name == MANIFEST else name


def manifest_of(job_guid: str, offers: Iterable[Offer], max_bytes: int) -> Manifest:
    """Read the list: entries that are listed twice are one, and others that cannot be copied say why."""
    files: dict[str, Promise] = {}
    unusable: dict[str, str] = {}
    for number, offer in enumerate(offers):
        name, problem = _checked(offer, max_bytes)
        if not problem and name in files and files[name] != Promise(offer.key, name, _size(offer)):
            name, problem = f"{name} (again)", f"the list has two files of this name, this one of {offer.size} bytes"
        if problem:
            unusable[name or _shown(offer.key, number)] = problem
        else:
            files.setdefault(name, Promise(offer.key, name, _size(offer)))
    return Manifest(job_guid, tuple(files.values()), {name: why for name, why in unusable.items() if name not in files})


def addresses(offers: Iterable[Offer]) -> dict[str, str]:
    """Return each file's address by the name it lands under; of a file listed twice, the first address."""
    found: dict[str, str] = {}
    for offer in offers:
        name = safe_name(offer.key)
        if name is not None and offer.url:
            found.setdefault(name, offer.url)
    return found


def batches(
    job_guid: str, files: Sequence[Promise], round_number: int, max_files: int, max_bytes: int
) -> tuple[CopyBatch, ...]:
    """Cut files into batches, the largest first: many small ones share a function, a large one has its own."""
    groups = enumerate(_groups(sorted(files, key=lambda file: (-file.size, file.name)), max_files, max_bytes))
    return tuple(
        CopyBatch(f"{round_number:02d}-{number:04d}", round_number, job_guid, group) for number, group in groups
    )


def _groups(files: Sequence[Promise], max_files: int, max_bytes: int) -> Iterator[tuple[Promise, ...]]:
    group: list[Promise] = []
    size = 0
    for file in files:
        if group and (len(group) == max_files or size + file.size > max_bytes):
            yield tuple(group)
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield tuple(group)


def _checked(offer: Offer, max_bytes: int) -> tuple[str, str]:
    """Return name and problem of an entry, either of them empty where there is none."""
    name = safe_name(offer.key)
    if name is None:
        return "", "its key ends in no usable name"
    if not offer.url:
        return name, "it is listed without an address"
    if not isinstance(offer.size, int) or isinstance(offer.size, bool) or offer.size < 0:
        return name, "it is listed without a size in bytes"
    if offer.size > max_bytes:
        return name, f"it is larger than the {max_bytes} bytes that a file may have here"
    return name, ""


def _size(offer: Offer) -> int:
    return offer.size if isinstance(offer.size, int) else 0


def _shown(key: str, number: int) -> str:
    """Name an entry that has no usable name, so that a person recognises it."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in key)[:_SHOWN]
    return f"entry {number + 1} ({plain!r})"
