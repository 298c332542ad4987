"""An event belongs to one table, by the rules of the domain; one that does not say enough has a reason."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.contracts.family import ANY_TYPE, Place
from sluice.contracts.model import Registry
from sluice.event_files.ledger.model import Reason
from sluice.event_files.validate.event_processor import Recogniser, Recognition
from tests.event_files.unit.validate.contract_events import ABSENT, CONTRACTS, REGISTRY, event_of, events_of

RECOGNISER = Recogniser(REGISTRY)
_EVENT_FILES = REGISTRY.contract("MICROONE_EVENT").family
HOSTILE: tuple[Any, ...] = ([], ["microone"], {}, {"a": 1}, 1, 1.5, True, False, "", None, ABSENT)


def table_of(event: dict[str, Any]) -> str | Reason | None:
    """Return the table, else the reason, else None for an unrelated event."""
    recognition = RECOGNISER.recognise(event)
    return recognition.contract.table if recognition.contract else recognition.reason


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_every_made_up_event_is_its_contract_s(contract: Any) -> None:
    for event in events_of(contract):
        wanted = Recognition(contract, None, contract.family, contract.kind, _service(contract, event))
        assert RECOGNISER.recognise(event) == wanted


def _service(contract: Any, event: dict[str, Any]) -> str:
    body = event["detail"]["prediction" if contract.kind == "PRED" else "evaluation"]
    service: str = body.get("service") or body["prediction_id"].split("#")[-1]
    return service


@pytest.mark.parametrize(
    ("table", "service", "prediction_id", "wanted"),
    [
        ("MICROONE_EVENT", ABSENT, "85415ad1#microone", "MICROONE_EVENT"),
        ("MICROONE_EVENT", None, "85415ad1#microone", "MICROONE_EVENT"),
        ("MICROONE_EVENT", None, "85415ad1#microtwo", "MICROTWO_EVENT"),
        ("MICROONE_EVENT", None, "a#microtwo#microone", "MICROONE_EVENT"),
        ("MICROONE_EVENT", "microthree", "a#microone", "MICROTHREE_EVENT"),
        ("MICROONE_EVENT", "microone", ABSENT, "MICROONE_EVENT"),
        ("MICROONE_EVENT", None, "a#MICROONE", Reason.NO_CONTRACT),
        ("MICROONE_EVENT", "summarizer", "a#microone", Reason.NO_CONTRACT),
        ("MICROONE_EVENT", None, "microone", Reason.NO_IDENTIFIER),
        ("MICROONE_EVENT", None, "microone#", Reason.NO_IDENTIFIER),
        ("MICROONE_EVENT", None, None, Reason.NO_IDENTIFIER),
        ("MICROONE_EVENT", ABSENT, ABSENT, Reason.NO_IDENTIFIER),
        ("SIM_EVENT", "sim", None, "SIM_EVENT"),
        ("SIM_EVENT", "semanticImageMatcher", None, "SIM_EVENT"),
        ("SIM_EVENT", None, "a#semanticImageMatcher", "SIM_EVENT"),
        ("SIM_EVENT", "imageTagging", None, "IT_EVENT"),
        ("SIM_EVENT", "headliner", None, Reason.NO_CONTRACT),
    ],
)
def test_service_of_an_evaluation(table: str, service: Any, prediction_id: Any, wanted: str) -> None:
    event = event_of(table, detail__evaluation__service=service, detail__evaluation__prediction_id=prediction_id)
    assert table_of(event) == wanted


@pytest.mark.parametrize(
    ("table", "service", "wanted"),
    [
        ("MICROONE_PRED", "microtwo", "MICROTWO_PRED"),
        ("STE_PRED", "summarizer", "SUMMARIZER_PRED"),
        ("STE_PRED", "sim", Reason.NO_CONTRACT),
        ("MICROONE_PRED", ABSENT, Reason.NO_IDENTIFIER),
        ("MICROONE_PRED", None, Reason.NO_IDENTIFIER),
    ],
)
def test_service_of_a_prediction(table: str, service: Any, wanted: str) -> None:
    """A prediction has no prediction to name its service."""
    event = event_of(table, detail__prediction__service=service, detail__prediction__prediction_id="a#microone")
    assert table_of(event) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("app.event.file", "MICROONE_EVENT"),
        ("App.Event.FILE", "MICROONE_EVENT"),
        ("shape.dvault", Reason.NO_IDENTIFIER),
        ("app.event.files", None),
        (" app.event.file", None),
        ("", None),
        *((hostile, Reason.NOT_AN_EVENT) for hostile in HOSTILE if hostile != ""),
    ],
)
def test_source(source: Any, wanted: Any) -> None:
    """The family decides which types there are: a type of the other family is none."""
    assert table_of(event_of("MICROONE_EVENT", source=source)) == wanted


@pytest.mark.parametrize("type_", [*HOSTILE, "efevaluationevent", "DVaultEvaluationEvent", "EFEvaluationEvent "])
def test_without_a_known_type_nothing_is_recognised(type_: Any) -> None:
    assert table_of(event_of("MICROONE_EVENT", detail_type=type_)) is Reason.NO_IDENTIFIER


@pytest.mark.parametrize("hostile", [hostile for hostile in HOSTILE if hostile not in (None, ABSENT)])
def test_hostile_identifiers(hostile: Any) -> None:
    """Only a service that is absent or null is looked for in the prediction's id."""
    event = event_of("MICROONE_EVENT", detail__evaluation__prediction_id="a#microone")
    assert table_of(event_of("MICROONE_EVENT", detail__evaluation__service=hostile)) is Reason.NO_IDENTIFIER
    event["detail"]["evaluation"].update(service=None, prediction_id=hostile)
    assert table_of(event) is Reason.NO_IDENTIFIER
    assert table_of(event_of("MICROONE_PRED", detail__prediction__service=hostile)) is Reason.NO_IDENTIFIER


def test_a_family_says_where_its_events_name_their_service() -> None:
    """The first place that holds anything counts; any type that is not named is of the kind of all others."""
    places = (Place(("detail-type",), after_last="."), Place(("who",)))
    family = replace(REGISTRY.families[0], source="forge", kinds={ANY_TYPE: "EVENT"}, service={"EVENT": places[:1]})
    contract = replace(CONTRACTS[0], family=family, kind="EVENT", services=("push",))
    recognise = Recogniser(Registry((family,), (contract,))).recognise
    assert recognise({"source": "Forge", "detail-type": "repo.push"}).contract is contract
    assert recognise({"source": "forge", "detail-type": "repo.pull"}).reason is Reason.NO_CONTRACT
    for nameless in ("push", "repo.", "", None, 5, ["repo.push"]):
        assert recognise({"source": "forge", "detail-type": nameless}).reason is Reason.NO_IDENTIFIER

    family = replace(family, service={"EVENT": (places[1], places[0])})
    contract = replace(contract, family=family)
    recognise = Recogniser(Registry((family,), (contract,))).recognise
    for event, wanted in (({"who": "push"}, contract), ({"who": None}, contract), ({"who": 5}, None)):
        assert recognise({"source": "forge", "detail-type": "repo.push", **event}).contract is wanted


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("path", ["detail", "detail__evaluation"])
def test_hostile_containers(path: str, hostile: Any) -> None:
    recognition = RECOGNISER.recognise(event_of("MICROONE_EVENT", **{path: hostile}))
    assert recognition == Recognition(None, Reason.NO_IDENTIFIER, _EVENT_FILES, "EVENT", None)


def test_an_evaluation_is_not_looked_for_in_a_prediction() -> None:
    event = event_of("MICROONE_PRED", detail_type="EFEvaluationEvent")
    assert table_of(event) is Reason.NO_IDENTIFIER
