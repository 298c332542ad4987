"""What of a digest a person should look at; on an empty stage, nothing."""

from collections.abc import Callable, Iterator

from sluice.html_report.markup import percent
from sluice.observability.digest import formatting
from sluice.observability.digest.baseline import Usual
from sluice.observability.digest.model import Digest, Reason
from sluice.runs.model import Kind
from sluice.vendor_exports.completeness.report.levels import VOLUME_HIGH, VOLUME_LOW

_ENOUGH = 100  # of anything, for a ratio to say something
_LOST_SHARE = 0.01  # of the clean share against the usual
_NAMED = 3
_WATCHED = ("files", "clean", "bytes", "rows", "export_files", "export_bytes")


def notices_of(digest: Digest, usual: Usual) -> tuple[str, ...]:
    """Return sentences, what is broken first, then what is odd."""
    looks: tuple[Callable[[Digest, Usual], Iterator[str]], ...] = (
        _failures,
        _absences,
        _exports,
        _missing,
        _new_reasons,
        _cleanness,
        _drift,
        _volumes,
        _silent_tables,
    )
    return tuple(notice for look in looks for notice in look(digest, usual))


def _failures(digest: Digest, _usual: Usual) -> Iterator[str]:
    titles = {Kind.CONVERT: "conversions", Kind.EXPORT: "export runs", Kind.HISTORY: "history runs"}
    for kind, title in titles.items():
        if failed := digest.total.failed(kind):
            yield f"{failed:,} of {digest.total.runs(kind):,} {title} did not succeed"


def _absences(digest: Digest, usual: Usual) -> Iterator[str]:
    for kind, title in ((Kind.CONVERT, "conversion"), (Kind.EXPORT, "export")):
        if not digest.total.runs(kind) and (expected := usual.runs(kind)):
            yield f"No {title} ran at all; {expected:,.0f} are usual"


def _exports(digest: Digest, _usual: Usual) -> Iterator[str]:
    if lacking := len(digest.exports) - digest.whole_exports:
        yield f"{lacking:,} of {len(digest.exports):,} hours lack an export or tables of it"


def _missing(digest: Digest, _usual: Usual) -> Iterator[str]:
    if missing := digest.volume("export_missing").value:
        yield f"{_plural(missing, 'promised export file')} never arrived"


def _new_reasons(digest: Digest, _usual: Usual) -> Iterator[str]:
    tables: dict[str, list[Reason]] = {}
    for reason in digest.reasons:
        if reason.is_new:
            tables.setdefault(reason.reason, []).append(reason)
    for code, found in tables.items():
        where = formatting.table(found[0].table) if len(found) == 1 else f"{len(found)} tables"
        yield f"New among the dirty: {sum(each.events for each in found):,} {code}, {where}"


def _cleanness(digest: Digest, _usual: Usual) -> Iterator[str]:
    share, usual = digest.total.clean_share, digest.usual_clean_share
    if share is not None and usual is not None and usual - share > _LOST_SHARE:
        yield f"{percent(share)} of the events are clean; {percent(usual)} are usual"


def _drift(digest: Digest, _usual: Usual) -> Iterator[str]:
    members = digest.volume("unknown_members")
    if members.value > VOLUME_HIGH * (members.usual or 0):
        yield f"{_plural(members.value, 'member')} that no contract knows: the producers' format drifts"


def _volumes(digest: Digest, _usual: Usual) -> Iterator[str]:
    for volume in map(digest.volume, _WATCHED):
        ratio = volume.ratio
        enough = max(volume.value, volume.usual or 0) >= _ENOUGH
        if ratio is not None and enough and not VOLUME_LOW <= ratio <= VOLUME_HIGH:
            yield f"{volume.title}: {ratio:,.2f} times the usual"


def _silent_tables(digest: Digest, _usual: Usual) -> Iterator[str]:
    silent = [each.table for each in digest.tables if not each.rows and (each.usual or 0) >= _ENOUGH]
    if silent:
        more = f" and {len(silent) - _NAMED:,} more" if len(silent) > _NAMED else ""
        yield f"Tables without a row, against their habit: {', '.join(silent[:_NAMED])}{more}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
