"""The digest as one HTML page."""

from collections.abc import Iterable

from sluice.html_report.page import Topic, body_of, figure_card, page_of, table
from sluice.html_report.text import in_html
from sluice.observability import formatting
from sluice.observability.cost import NOT_COUNTED, assumptions
from sluice.observability.digest.elements import run_link
from sluice.observability.digest.model import Digest
from sluice.observability.digest.periods import PeriodKind
from sluice.observability.prices import AS_OF, REGION
from sluice.runs.model import RunRecord

_READING = "All times are UTC; a run counts where it started. Drag to zoom in, double-click to go back."
_NO_NEWS = '<div class="card" id="notices">Nothing out of the ordinary.</div>'
_EMPTY = '<div class="card" id="notices">No run has been recorded in this time: there is nothing to report.</div>'
_SENTENCE = 300  # characters of a notice or a cause


def digest_page(digest: Digest) -> bytes:
    """Return the digest as one HTML page, UTF-8, that needs no network; equal digests give equal bytes."""
    title = f"Sluice {in_html(digest.stage)}: {digest.period.kind.value} {digest.period}"
    subtitle = f"{', '.join(each.title for each in digest.pipelines)} (UTC), as of {digest.as_of:%Y-%m-%d %H:%M}"
    topics = _joined(_topics(digest))
    body = body_of(_figures(digest), _READING, topics)
    return page_of(title, subtitle, body, [plot for topic in topics for plot in topic.plots])


def _topics(digest: Digest) -> list[Topic]:
    return [
        Topic("To look at", (), _notices(digest)),
        Topic("Volume", (), _volumes(digest), _compared_with(digest)),
        *(topic for each in digest.sections for topic in each.topics),
        Topic("Runs", (), _failed(digest) + _slow(digest)),
        Topic("Cost", (), _cost(digest)),
    ]


def _joined(topics: Iterable[Topic]) -> list[Topic]:
    """Join topics of the same title, each at the place of the first."""
    found: dict[str, Topic] = {}
    for topic in topics:
        before = found.get(topic.title, Topic(topic.title))
        note = " ".join(filter(None, (before.note, topic.note)))
        found[topic.title] = Topic(topic.title, (*before.plots, *topic.plots), before.html + topic.html, note)
    return list(found.values())


def _figures(digest: Digest) -> str:
    cost = figure_card("Cost, estimated", formatting.dollars(digest.cost.dollars), "by list prices, without watching")
    return "".join(card for each in digest.sections for card in each.cards) + cost


def _notices(digest: Digest) -> str:
    if not digest.notices:
        return _EMPTY if digest.is_empty else _NO_NEWS
    items = "".join(f"<li>{in_html(notice, _SENTENCE)}</li>" for notice in digest.notices)
    return f'<div class="card" id="notices"><ul class="names">{items}</ul></div>'


def _compared_with(digest: Digest) -> str:
    compared, kind = len(digest.earlier), digest.period.kind
    if not compared:
        return "Usual: there is no earlier time to compare with yet."
    if kind is PeriodKind.MONTH or compared == 1:
        return f"Usual: the {kind.value} that is compared with, {digest.period.earlier[0].start:%Y-%m-%d} on."
    return f"Usual: the median of {compared} earlier {kind.value}s, on the same days of the week."


def _volumes(digest: Digest) -> str:
    columns = {"What": "", "This time": "number", "Usual": "number", "Times": "number"}
    rows = (
        (
            volume.title,
            formatting.volume(volume.name, volume.value),
            formatting.volume(volume.name, volume.usual),
            formatting.ratio(volume.ratio),
        )
        for volume in digest.volumes
    )
    return table("volumes", columns, rows)


def _failed(digest: Digest) -> str:
    columns = {"Started (UTC)": "", "What": "names"}
    return table("failed-runs", columns, ((_started(run), _failure(run)) for run in digest.failed), "No run failed.")


def _slow(digest: Digest) -> str:
    columns = {"Started (UTC)": "", "Took": "number", "Usual": "number", "Run": "names"}
    rows = (
        (_started(each.run), formatting.seconds(each.run.seconds), formatting.seconds(each.usual), run_link(each.run))
        for each in digest.slow
    )
    return table("slow-runs", columns, rows, "No run took much longer than others of its kind.")


def _cost(digest: Digest) -> str:
    columns = {"Service": "", "Quantity": "number", "Of what": "", "Costs": "number"}
    rows = [
        (item.price.service, f"{item.quantity:,.0f}", item.price.unit, formatting.dollars(item.dollars))
        for item in digest.cost.items
    ]
    rows.append(("<strong>Sum</strong>", "", "", f"<strong>{formatting.dollars(digest.cost.dollars)}</strong>"))
    assumed = f"Assumed: {assumptions(digest.pipelines)}. Not counted: {'; '.join(NOT_COUNTED)}."
    return table("costs", columns, rows) + f'<p class="note">List prices of {REGION}, {AS_OF}. {assumed}</p>'


def _started(run: RunRecord) -> str:
    return in_html(run.started_at[:16].replace("T", " "))


def _failure(run: RunRecord) -> str:
    cause = in_html(run.cause or run.failed_step, _SENTENCE)
    outcome = in_html(run.outcome.replace("_", " "))
    return f'{outcome}{": " if cause else ""}{cause}<div class="note">{run_link(run)}</div>'
