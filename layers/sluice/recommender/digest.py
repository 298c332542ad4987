"""The section of the recommender in digests: how good it is over the days, and where its model changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

from sluice.html_report.page import Topic, figure_card
from sluice.html_report.plots import BAD, GOOD, QUIET, Plot, axis, line, over_days, stroke
from sluice.html_report.text import in_html, in_plot
from sluice.observability import formatting
from sluice.observability.digest.elements import outcomes_plot, steps_plot, success_card, success_line
from sluice.observability.digest.model import Digest, Section, SectionSources
from sluice.recommender.champion import Champion, ModelError
from sluice.recommender.figures import Result, latest_by_day, model_changes, results_of
from sluice.recommender.run_summary import INFER
from sluice.recommender.training_summary import RETRAIN

_DAYS = 30  # a day alone is no curve
_CHANGE = "#b0619f"
_ROOM = {"y": 1.06, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 11, "color": _CHANGE}}


def read_section(digest: Digest, sources: SectionSources) -> Section:
    """Return the section, made from the results of inferences up to the period's end, and from the champion."""
    end = digest.period.end
    days = [(end - timedelta(days=back)).date() for back in range(_DAYS, 0, -1)]
    results = results_of(sources.lake, days)
    try:
        return section_of(digest, results, Champion.read(sources.lake))
    except ModelError as error:
        return section_of(digest, results, Champion(), (str(error),))


def section_of(digest: Digest, results: Sequence[Result], champion: Champion, faults: tuple[str, ...] = ()) -> Section:
    """Return the section; `results` are those of the days before the period's end, `faults` are of the champion."""
    window = digest.period.window
    known = latest_by_day(results)
    begin = f"{window.start:%Y-%m-%d}"
    inside = [result for day, result in known.items() if day >= begin]
    changes = {day: version for day, version in model_changes(results).items() if day >= begin}
    last = inside[-1] if inside else None
    return Section(
        cards=(
            success_card(digest, INFER, "Inferences"),
            *((_users_card(last), _figure_card(last), _model_card(digest, last, champion)) if last else ()),
        ),
        topics=(Topic("Recommender", tuple(_plots(digest, known, model_changes(results)))),) if known else (),
        lines={
            "Inferences": success_line(digest, INFER),
            **({"Trainings": success_line(digest, RETRAIN)} if digest.total.runs(RETRAIN) else {}),
            **({"NDCG@10": _figure_line(last), "Model": last["model_version"]} if last else {}),
        },
        broken=(*faults, *_broken(inside)),
        odd=tuple(f"since the snapshot of {day}, model {version} recommends" for day, version in changes.items()),
        members={"recommender": {"last": last, "model_changes": changes}},
        is_empty=not inside,
    )


def _users_card(last: Result) -> str:
    note = f"{last['popular_users']:,} of them the popular tracks, as nothing is known of them"
    return figure_card("Users with recommendations", f"{last['users']:,}", note)


def _figure_card(last: Result) -> str:
    ndcg, least = last["metrics"]["ndcg_at_10"], last["threshold"]
    note = f"popular tracks {last['metrics']['popularity_ndcg_at_10']:.4f}, threshold {least:.4f}"
    return figure_card("NDCG@10", f"{ndcg:.4f}", note, "bad" if ndcg < least else "good")


def _model_card(digest: Digest, last: Result, champion: Champion) -> str:
    current, version = champion.current, last["model_version"]
    if current and current.version != version:
        note = f"the next inference takes {in_html(current.version)}"
    elif current:
        days = max((digest.period.end - datetime.fromisoformat(current.trained_at)).days, 0)
        note = f"in production since {current.promoted_at[:10]}, {formatting.plural(days, 'day')} old"
    else:
        note = "none is in production"
    return figure_card("Model", in_html(_short(version)), note)


def _short(version: str) -> str:
    """Return the time of the training alone, which a card and a plot have room for."""
    return version.partition("-")[0]


def _figure_line(last: Result) -> str:
    metrics = last["metrics"]
    return (
        f"{metrics['ndcg_at_10']:.4f} (popular tracks {metrics['popularity_ndcg_at_10']:.4f}, "
        f"threshold {last['threshold']:.4f})"
    )


def _broken(inside: Sequence[Result]) -> Iterator[str]:
    if inside and inside[-1]["metrics"]["ndcg_at_10"] < inside[-1]["threshold"]:
        yield f"the model recommends worse than it should: {inside[-1]['reason']}"


def _plots(digest: Digest, known: Mapping[str, Result], changes: Mapping[str, str]) -> Iterator[Plot]:
    gain = [
        _curve(known, "the model", "metrics", "ndcg_at_10", stroke(GOOD, 2.5)),
        _curve(known, "popular tracks", "metrics", "popularity_ndcg_at_10", stroke(QUIET)),
        _curve(known, "day over day", "day", "ndcg_at_10", stroke("#2f9e83")),
        _line(known, "threshold", [each["threshold"] for each in known.values()], {**stroke(BAD), "dash": "dash"}),
    ]
    title = "NDCG@10 by snapshot; upright lines: another model from then on"
    yield Plot("recommender-ndcg", title, _marked(over_days(gain, axis("NDCG@10")), changes), wide=True)
    shares = {"recall_at_10": "recall", "hit_rate_at_10": "users with a hit", "coverage": "tracks recommended"}
    looks = (stroke(GOOD, 2.5), stroke("#2f9e83"), stroke("#b99512"))
    drawn = [
        _curve(known, shown, "metrics", name, look) for (name, shown), look in zip(shares.items(), looks, strict=True)
    ]
    yield Plot("recommender-shares", "Recall, hits, coverage", _marked(over_days(drawn, axis("Share")), changes))
    yield outcomes_plot(digest, INFER)
    yield steps_plot(digest, INFER)
    if digest.total.runs(RETRAIN):
        yield outcomes_plot(digest, RETRAIN)


def _curve(known: Mapping[str, Result], name: str, part: str, figure: str, look: Mapping[str, object]) -> go.Scatter:
    """Return a figure over the snapshots; of what nobody heard since, there is none."""
    values = [each[part][figure] if part != "day" or each["day"]["users"] else None for each in known.values()]
    return _line(known, name, values, look)


def _line(
    known: Mapping[str, Result], name: str, values: Sequence[float | None], look: Mapping[str, object]
) -> go.Scatter:
    notes = [in_plot(each["model_version"]) for each in known.values()]
    shown = [None if value is None else round(value, 4) for value in values]
    return line(list(known), shown, name, f"%{{y:.4f}} {name} (%{{text}})", look, notes)


def _marked(made: go.Figure, changes: Mapping[str, str]) -> go.Figure:
    """Return a figure over days with an upright line, and the version, where the model changed."""
    for day, version in changes.items():
        made.add_shape(type="line", x0=day, x1=day, y0=0, y1=1, yref="paper", line={"color": _CHANGE, "width": 2})
        made.add_annotation(x=day, text=in_plot(_short(version)), **_ROOM)
    return made
