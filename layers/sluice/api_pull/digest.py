"""The section of the API pulls in digests: the key figures of a pipeline's health, each with its plot."""

from collections.abc import Iterator, Mapping

from sluice.api_pull.run_summary import PULL
from sluice.html_report.page import Topic, figure_card
from sluice.html_report.plots import BAD, GOOD, QUIET, Plot, bars
from sluice.observability import formatting
from sluice.observability.digest.elements import (
    outcomes_plot,
    part_labels,
    stacked_bars,
    stacked_figure,
    steps_plot,
    success_card,
    success_line,
    volume_card,
    volume_line,
)
from sluice.observability.digest.model import Digest, Section, SectionSources

_QUALITY = {"null_values": "nulls", "dirty_rows": "dirty rows", "unknown_members": "unknown members"}
_TROUBLE = {
    "endpoint_restarts": "started over",
    "requests_retried": "requests sent again",
    "schema_changes": "schema changes",
}
_VOLUMES = {"clean_tracks": "tracks", "clean_users": "users", "clean_listens": "listens"}


def read_section(digest: Digest, _sources: SectionSources) -> Section:
    """Return the section, made from the counts of the runs alone."""
    memory = digest.total.count(PULL, "memory_mb")
    return Section(
        cards=(
            success_card(digest, PULL, "Pulls"),
            volume_card(digest, "pulled_listens", "Listens pulled"),
            figure_card("Memory of a pull", f"{memory:,} MB", "the most of any function"),
        ),
        topics=(Topic("API pulls", tuple(_plots(digest))),) if digest.total.runs(PULL) else (),
        lines={
            "Pulls": success_line(digest, PULL),
            "Tracks": volume_line(digest, "pulled_tracks"),
            "Users": volume_line(digest, "pulled_users"),
            "Listens": volume_line(digest, "pulled_listens"),
            "Nulls": volume_line(digest, "pulled_nulls"),
        },
        broken=tuple(_broken(digest)),
        members={"pulls": {name: digest.total.count(PULL, name) for name in digest.kinds[PULL].counts}},
    )


def _broken(digest: Digest) -> Iterator[str]:
    count = digest.total.count
    if changes := count(PULL, "schema_changes"):
        yield f"{formatting.plural(changes, 'change')} of the API's schema: what has them is not loaded into the mart"
    if held := count(PULL, "endpoints_held"):
        yield f"{formatting.plural(held, 'endpoint')} kept in the lake and not loaded into the mart"
    if failed := count(PULL, "endpoints_failed"):
        yield f"{formatting.plural(failed, 'endpoint')} could not be pulled"


def _plots(digest: Digest) -> Iterator[Plot]:
    yield outcomes_plot(digest, PULL)
    yield steps_plot(digest, PULL)
    yield _counts_plot(digest, "pull-volume", "Rows pulled", _VOLUMES, "Rows")
    yield _counts_plot(digest, "pull-quality", "Nulls, dirty rows and unknown members", _QUALITY, "Values")
    yield _counts_plot(digest, "pull-trouble", "Restarts, retries and schema changes", _TROUBLE, "Times")
    yield _endpoints_plot(digest)
    yield _counts_plot(digest, "pull-memory", "Memory of the pulls' functions", {"memory_mb": "MB at most"}, "MB")


def _counts_plot(digest: Digest, name: str, title: str, counts: Mapping[str, str], unit: str) -> Plot:
    values = [{shown: part.count(PULL, count) for count, shown in counts.items()} for part in digest.parts.values()]
    traces = stacked_bars(part_labels(digest), values, "%{y:,}")
    return Plot(name, title, stacked_figure(digest, traces, unit))


def _endpoints_plot(digest: Digest) -> Plot:
    colours = {"complete": GOOD, "held": QUIET, "failed": BAD}
    traces = [
        bars(
            part_labels(digest),
            [part.count(PULL, f"endpoints_{status}") for part in digest.parts.values()],
            colour,
            f"%{{y:,}} {status}",
            status,
        )
        for status, colour in colours.items()
    ]
    return Plot("pull-endpoints", "Endpoints by what became of them", stacked_figure(digest, traces, "Endpoints"))
