"""Valid events written by hand from what the producers publish, one per table, without a generator of ours."""

import copy
from typing import Any

Event = dict[str, Any]

REMOVED = object()
"""In `edited`: take the member away."""


def edited(event: Event, edits: dict[str, Any]) -> Event:
    """A copy with other values at the given pointers, relative to the body where they do not begin with ``/``."""
    changed = copy.deepcopy(event)
    for place, value in edits.items():
        members = place[1:].split("/") if place.startswith("/") else ["detail", body_of(event), *place.split("/")]
        parent: Any = changed
        for member in members[:-1]:
            parent = parent[int(member) if isinstance(parent, list) else member]
        last = int(members[-1]) if isinstance(parent, list) else members[-1]
        if value is REMOVED:
            parent.pop(last, None)
        else:
            parent[last] = value
    return changed


def body_of(event: Event) -> str:
    return "evaluation" if "evaluation" in event["detail"] else "prediction"


def _event(prefix: str, source: str, body: str, content: Event) -> Event:
    detail_type = prefix + ("EvaluationEvent" if body == "evaluation" else "PredictionEvent")
    return {
        "version": "0",
        "id": "0b2c1f9e-0000-4000-8000-000000000001",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2022-04-19T18:20:03Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "id": "0b2c1f9e-0000-4000-8000-000000000002",
            "type": detail_type,
            "timestamp": 1650392403000,
            "partitionKey": "0b2c1f9e-0000-4000-8000-000000000003",
            body: content,
            "tags": {"region": "eu-west-1"},
        },
    }


def _evaluation(family: str, service: str, reporter: str, type_: str, payload: Event) -> Event:
    prefix, source, version = _FAMILIES[family]
    content = {
        version: "1.0",
        "id": "0b2c1f9e-0000-4000-8000-000000000002",
        "shape_id": "0b2c1f9e-0000-4000-8000-000000000003",
        "prediction_id": f"0b2c1f9e-0000-4000-8000-000000000004#{service}",
        "service": service,
        "timestamp": 1650392403000,
        "reporter": reporter,
        "type": type_,
        "payload": payload,
    }
    return _event(prefix, source, "evaluation", content)


def _prediction(family: str, service: str, more: Event) -> Event:
    prefix, source, version = _FAMILIES[family]
    content = {
        version: "1.0",
        "id": f"0b2c1f9e-0000-4000-8000-000000000004#{service}",
        "shape_id": "0b2c1f9e-0000-4000-8000-000000000003",
        "service": service,
        "timestamp": 1650392403000,
        **more,
    }
    return _event(prefix, source, "prediction", content)


_FAMILIES = {
    "event_files": ("EF", "app.event.file", "template_ef_version"),
    "dvaults": ("DVault", "shape.dvault", "template_dvault_version"),
}
_VERSIONS = {"software": "0.1.0", "model": "m-1"}
_SUMMARY = {"text": "A sentence.", "paragraph": 3, "slide": "a"}
_HEADLINE = {"text": "A headline."}
_IMAGE = {
    "media_id": "m-1",
    "media_type": "IMAGE",
    "medialib": "SHAPELIB",
    "image_tags": ["sea", None],
    "caption": "The sea",
    "source_file": "deck.pptx",
}
_SUMMARISED = {
    "service_version": _VERSIONS,
    "input": {"paragraphs": ["One.", "Two."], "sentences_scores": [{"sentence": "One.", "score": 0.5}]},
    "output": {
        "summary": ["One."],
        "metadata": [{"filtered_sentences": ["Two."], "scores": [0.1, -1], "idx": 0}],
        "skipped_paragraphs": [
            {"text": "Drei.", "index": 2, "language": "en", "text_language": "de", "original_paragraph": True}
        ],
    },
}
_SEARCHED = {
    "service_version": _VERSIONS,
    "context": {"paragraph": 0, "sentence": 1},
    "input": {"paragraph": "One. Two."},
    "output": {"sentence": "Two.", "search_terms": ["two"], "scores": [0.4, 1]},
}


def _illustration(medialib: str) -> Event:
    return {
        "text": "A sentence.",
        "media_id": "m-1",
        "media_type": "IMAGE",
        "medialib": medialib,
        "query": ["sea", None],
        "tags": ["sea", None],
        "caption": "The sea",
    }


def _headlines(member: str) -> Event:
    return {"service_version": _VERSIONS, "input": {"transcript": "Words."}, "output": {member: ["A headline."]}}


VALID: dict[str, Event] = {
    "MICROONE_EVENT": _evaluation("event_files", "microone", "user", "PUBLISH", _SUMMARY),
    "MICROONE_PRED": _prediction("event_files", "microone", _SUMMARISED),
    "MICROTWO_EVENT": _evaluation("event_files", "microtwo", "user", "PUBLISH", _HEADLINE),
    "MICROTWO_PRED": _prediction("event_files", "microtwo", _headlines("microtwo")),
    "MICROTHREE_EVENT": _evaluation("event_files", "microthree", "user", "PUBLISH", _illustration("MYLIB")),
    "MICROTHREE_PRED": _prediction("event_files", "microthree", _SEARCHED),
    "SUMMARIZER_EVENT": _evaluation("dvaults", "summarizer", "user", "PUBLISH", _SUMMARY),
    "SUMMARIZER_PRED": _prediction("dvaults", "summarizer", _SUMMARISED),
    "HEADLINER_EVENT": _evaluation("dvaults", "headline", "user", "PUBLISH", _HEADLINE),
    "HEADLINER_PRED": _prediction("dvaults", "headline", _headlines("headline")),
    "STE_EVENT": _evaluation("dvaults", "ste", "user", "PUBLISH", _illustration("SHAPELIB")),
    "STE_PRED": _prediction("dvaults", "ste", _SEARCHED),
    "SIM_EVENT": _evaluation("dvaults", "sim", "user", "SELECT_IMAGE", {**_IMAGE, "text": "T", "query": "sea"}),
    "IT_EVENT": _evaluation("dvaults", "it", "aws", "TAG_IMAGE", _IMAGE),
}
