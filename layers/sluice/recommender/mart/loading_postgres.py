"""The loading of an inference into the mart, part by part; then it is shown, and what was shown before is deleted."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.mart.connection_postgres import Mart
from sluice.recommender.inference import Inference, note_latest
from sluice.recommender.mart.recommendations_postgres import (
    RECOMMENDATIONS,
    SIMILAR,
    begin,
    publish,
    sweep,
    write_rows,
)
from sluice.recommender.results import recommended_key, similar_key


def load(
    lake: ObjectStore,
    mart: Mart,
    inference: Inference,
    figures: Mapping[str, float],
    parts: tuple[int, int],
    turn: int,
    has_time: Callable[[], bool],
) -> dict[str, Any]:
    """Write parts from the one with number `turn` on, those of recommendations first; return the next one's.

    When all are there they are shown, unless later ones are; what was shown before is deleted.
    """
    begun = begin(mart, inference, figures)
    recommended, similar = parts
    while turn < recommended + similar:
        if not has_time():
            return {"turn": turn, "is_over": False, "is_shown": False}
        is_similar = turn >= recommended
        key = similar_key(inference, turn - recommended) if is_similar else recommended_key(inference, turn)
        write_rows(mart, SIMILAR if is_similar else RECOMMENDATIONS, begun, orjson.loads(lake.read(key)))
        turn += 1
    is_shown = publish(mart, begun)
    if is_shown:
        note_latest(lake, inference)
    return {"turn": turn, "is_over": sweep(mart, has_time), "is_shown": is_shown}
