"""Rules that producers publish about valid events: edits of an example event that are clean or dirty."""

from collections.abc import Iterable, Iterator
from typing import Any

from tests.contracts.unit.example_events import REMOVED, VALID

Case = tuple[str, str, str, Any]
"""``clean`` or ``dirty``, the table, the member, its new value."""
Values = tuple[Any, ...]

EVERY = tuple(VALID)
EVENTS = tuple(table for table in VALID if table.endswith("EVENT"))
PREDICTIONS = tuple(table for table in VALID if table.endswith("PRED"))
SUMMARY_EVENTS = ("MICROONE_EVENT", "SUMMARIZER_EVENT")
HEADLINE_EVENTS = ("MICROTWO_EVENT", "HEADLINER_EVENT")
ILLUSTRATION_EVENTS = ("MICROTHREE_EVENT", "STE_EVENT")
OPEN_EVENTS = ("SIM_EVENT", "IT_EVENT")
SUMMARY_PREDS = ("MICROONE_PRED", "SUMMARIZER_PRED")
HEADLINE_PREDS = ("MICROTWO_PRED", "HEADLINER_PRED")
ILLUSTRATION_PREDS = ("MICROTHREE_PRED", "STE_PRED")

NOT_TEXT: Values = (1, 1.5, True, [], {})
INT64: Values = (0, -1, 1.0, 1e3, 2**63 - 1, -(2**63) + 1, 2**53 + 1)
NOT_INT64: Values = ("1", 1.5, True, [], 2**63, -(2**63) - 1, 2**64, 1.8446744073709552e19, -9.3e18)
EXACT: Values = (0, -1, 0.5, 1.0, 1e3, 2**53, -(2**53))
NOT_EXACT: Values = ("0.5", True, [], 2**53 + 1, -(2**53) - 1, 2**63, 2**64, 1e300)
TEXTS: Values = ([], ["a", ""])
NOT_TEXTS: Values = (None, "a", [None], [1], {}, REMOVED)
LISTS: Values = ([], ["a", None], [None], "sea", "null", None)
NOT_LISTS: Values = ([1], [["a"]], 1, True, {}, [{"a": "b"}])
TIMES: Values = ("2000-01-01T00:00:00Z", "2099-12-31T23:59:59.999999999Z", "2024-02-29T00:00:00+00:00")
NO_TIMES: Values = (
    *(None, REMOVED, 1650392403, "", "2022-04-19", "2022-04-19 18:20:03Z", "2022-04-19T18:20:03", "2022-04-19T18:20Z"),
    *("1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2022-02-29T18:20:03Z", "2022-04-19T24:00:00Z"),
    *("2022-04-19T18:20:03+02:00", "2022-04-19T18:20:03Z\n", "2022-04-19T18:20:03.1234567890Z"),
)
NO_OBJECT: Values = (REMOVED, None, [], "x")


def published_rules() -> Iterator[Case]:
    yield from _envelope()
    yield from _evaluations()
    yield from _summary_events()
    yield from _headline_events()
    yield from _illustration_events()
    yield from _open_events()
    yield from _predictions()
    yield from _summary_predictions()
    yield from _headline_predictions()
    yield from _illustration_predictions()


def _of(tables: Iterable[str], member: str, clean: Values, dirty: Values) -> Iterator[Case]:
    for table in tables:
        yield from (("clean", table, member, value) for value in clean)
        yield from (("dirty", table, member, value) for value in dirty)


def _text(tables: Iterable[str], member: str, *, required: bool, null: bool = False) -> Iterator[Case]:
    may_be = ("", "é🌊", *([] if required else [REMOVED]), *([None] if null else []))
    may_not_be = (*NOT_TEXT, *([REMOVED] if required else []), *([] if null else [None]))
    return _of(tables, member, may_be, may_not_be)


def _envelope() -> Iterator[Case]:
    for member in ("/version", "/id", "/account", "/region", "/detail/id", "/detail/partitionKey"):
        yield from _text(EVERY, member, required=True)
    for member in ("/source", "/detail"):
        yield from _of(EVERY, member, (), (REMOVED,))
    yield from _of(EVERY, "/detail-type", (), ("EFOtherEvent", REMOVED))
    yield from _of(EVERY, "/time", TIMES, NO_TIMES)
    yield from _of(EVERY, "/detail/timestamp", INT64, (*NOT_INT64, None, REMOVED))
    yield from _of(EVERY, "/resources", (REMOVED, [], ["a", 1]), (None, "a", {}))
    yield from _of(EVERY, "/detail/type", (), ("", None, REMOVED, "EFSomethingEvent", 1))
    yield from _of(EVERY, "/detail/tags", (REMOVED, None, [], "x", {"a": {"b": 1}}), ())
    yield from _of(EVERY, "timestamp", INT64, (*NOT_INT64, None, REMOVED))
    for member in ("id", "shape_id"):
        yield from _text(EVERY, member, required=True)


def _evaluations() -> Iterator[Case]:
    for member in ("reporter", "type"):
        yield from _of(EVENTS, member, (), (1, None, REMOVED, []))
    for table in EVENTS:
        version = "template_ef_version" if table.startswith("MICRO") else "template_dvault_version"
        yield from _of([table], version, ("", "2"), (None, 1, REMOVED))


def _summary_events() -> Iterator[Case]:
    yield from _of(SUMMARY_EVENTS, "reporter", ("user",), ("builder", "USER"))
    yield from _of(SUMMARY_EVENTS, "type", ("PUBLISH", "DELETE", "DELETE SLIDE"), ("ADD_TAG", "publish", ""))
    yield from _of(SUMMARY_EVENTS, "payload", (), NO_OBJECT)
    yield from _text(SUMMARY_EVENTS, "payload/text", required=True)
    yield from _of(SUMMARY_EVENTS, "payload/paragraph", (*INT64, None), (*NOT_INT64, REMOVED))
    yield from _text(SUMMARY_EVENTS, "payload/slide", required=False, null=True)


def _headline_events() -> Iterator[Case]:
    yield from _of(HEADLINE_EVENTS, "reporter", ("user", "builder"), ("robot",))
    yield from _of(HEADLINE_EVENTS, "type", ("PUBLISH",), ("DELETE", "SEARCH_IMAGE"))
    yield from _of(HEADLINE_EVENTS, "payload", (), NO_OBJECT)
    yield from _text(HEADLINE_EVENTS, "payload/text", required=True)


def _illustration_events() -> Iterator[Case]:
    yield from _of(ILLUSTRATION_EVENTS, "reporter", ("user", "builder"), ("robot",))
    yield from _of(ILLUSTRATION_EVENTS, "type", ("ADD_TAG", "SEARCH_IMAGE", "PUBLISH"), ("DELETE",))
    yield from _of(ILLUSTRATION_EVENTS, "payload", (), NO_OBJECT)
    yield from _text(ILLUSTRATION_EVENTS, "payload/text", required=True)
    yield from _of(ILLUSTRATION_EVENTS, "payload/media_type", ("IMAGE", "VIDEO", None, REMOVED), ("AUDIO", 1))
    yield from _of(ILLUSTRATION_EVENTS, "payload/medialib", ("EXTERNALLIB", None), ("OTHERLIB", 1, REMOVED))
    yield from _of(["MICROTHREE_EVENT"], "payload/medialib", ("MYLIB",), ("SHAPELIB",))
    yield from _of(["STE_EVENT"], "payload/medialib", ("SHAPELIB",), ("MYLIB",))
    yield from _text(ILLUSTRATION_EVENTS, "payload/caption", required=False, null=True)
    yield from _of(ILLUSTRATION_EVENTS, "payload/query", LISTS, (*NOT_LISTS, REMOVED))
    yield from _of(ILLUSTRATION_EVENTS, "payload/tags", (*LISTS, REMOVED), NOT_LISTS)
    yield from _of(ILLUSTRATION_EVENTS, "payload/search_terms", (*LISTS, REMOVED), NOT_LISTS)
    matches = ("exact", True, 3, 0.5, None, REMOVED)
    yield from _of(ILLUSTRATION_EVENTS, "payload/search_match", matches, ([], {}, 2**64))


def _open_events() -> Iterator[Case]:
    ids = ("m-1", 332911, 1.0, 2**63 - 1, None, REMOVED)
    yield from _of((*ILLUSTRATION_EVENTS, *OPEN_EVENTS), "payload/media_id", ids, (1.5, True, [], {}, 2**63))
    yield from _of(["SIM_EVENT"], "service", ("semanticImageMatcher", "sim"), ())
    yield from _of(["IT_EVENT"], "service", ("imageTagging", "it"), ())
    yield from _of(OPEN_EVENTS, "type", ("SELECT_IMAGE", "TAG_IMAGE", ""), ())
    yield from _of(OPEN_EVENTS, "reporter", ("user", "aws_rekognition"), ())
    yield from _of(OPEN_EVENTS, "payload", (REMOVED, None, {}), ([], "x", 1))
    for member in ("media_type", "medialib", "caption"):
        yield from _text(OPEN_EVENTS, f"payload/{member}", required=False, null=True)
    yield from _of(OPEN_EVENTS, "payload/image_tags", (*LISTS, REMOVED), NOT_LISTS)
    yield from _of(["SIM_EVENT"], "payload/query", (*LISTS, REMOVED), NOT_LISTS)
    yield from _text(["SIM_EVENT"], "payload/text", required=False, null=True)
    yield from _text(["IT_EVENT"], "payload/source_file", required=False, null=True)
    yield from _of(["SIM_EVENT"], "payload/source_file", (REMOVED, None, 1, {}), ())


def _predictions() -> Iterator[Case]:
    yield from _of(PREDICTIONS, "service", (), (None, REMOVED, 1, "other"))
    yield from _of(PREDICTIONS, "input", (), NO_OBJECT)
    yield from _of(PREDICTIONS, "output", (), NO_OBJECT)
    yield from _of(PREDICTIONS, "service_version", ({}, {"software": "1"}), (None, [], "1"))
    yield from _of(ILLUSTRATION_PREDS, "service_version", (REMOVED,), ())
    yield from _of((*SUMMARY_PREDS, *HEADLINE_PREDS), "service_version", (), (REMOVED,))
    for member in ("software", "model"):
        yield from _text(PREDICTIONS, f"service_version/{member}", required=False)


def _summary_predictions() -> Iterator[Case]:
    yield from _of(SUMMARY_PREDS, "input/paragraphs", TEXTS, NOT_TEXTS)
    yield from _of(SUMMARY_PREDS, "output/summary", TEXTS, NOT_TEXTS)
    for member in ("input/sentences_scores", "output/metadata", "output/skipped_paragraphs"):
        yield from _of(SUMMARY_PREDS, member, (REMOVED, None, [], [{}]), ("x", {}, ["x"], [None]))
    yield from _of(SUMMARY_PREDS, "input/sentences_scores/0/score", (*EXACT, None, REMOVED), NOT_EXACT)
    yield from _text(SUMMARY_PREDS, "input/sentences_scores/0/sentence", required=False, null=True)
    yield from _of(SUMMARY_PREDS, "output/metadata/0/idx", (*INT64, None, REMOVED), NOT_INT64)
    scores: Values = (None, REMOVED, [], [None, -1, 0.5])
    yield from _of(SUMMARY_PREDS, "output/metadata/0/scores", scores, ("x", ["x"], [2**64]))
    sentences: Values = (None, REMOVED, [], [None, "a"])
    yield from _of(SUMMARY_PREDS, "output/metadata/0/filtered_sentences", sentences, ("x", [1]))
    skipped = "output/skipped_paragraphs/0"
    yield from _of(SUMMARY_PREDS, f"{skipped}/index", (*INT64, None, REMOVED), NOT_INT64)
    for member in ("text", "language", "text_language"):
        yield from _text(SUMMARY_PREDS, f"{skipped}/{member}", required=False, null=True)
    yield from _of(SUMMARY_PREDS, f"{skipped}/original_paragraph", (True, False, None, REMOVED), (0, 1, "true"))


def _headline_predictions() -> Iterator[Case]:
    yield from _of(["MICROTWO_PRED"], "output/microtwo", TEXTS, NOT_TEXTS)
    yield from _of(["HEADLINER_PRED"], "output/headline", TEXTS, NOT_TEXTS)
    yield from _text(HEADLINE_PREDS, "input/transcript", required=True)


def _illustration_predictions() -> Iterator[Case]:
    yield from _of(ILLUSTRATION_PREDS, "context", ({}, {"paragraph": 1}), NO_OBJECT)
    for member in ("paragraph", "sentence"):
        yield from _of(ILLUSTRATION_PREDS, f"context/{member}", (*INT64, REMOVED), (*NOT_INT64, None))
    yield from _text(ILLUSTRATION_PREDS, "input/paragraph", required=True)
    yield from _text(ILLUSTRATION_PREDS, "output/sentence", required=True)
    yield from _of(ILLUSTRATION_PREDS, "output/search_terms", TEXTS, NOT_TEXTS)
    not_scores = (None, REMOVED, 1, [None], *([value] for value in NOT_EXACT))
    yield from _of(ILLUSTRATION_PREDS, "output/scores", ([], [*EXACT]), not_scores)
