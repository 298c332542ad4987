"""Which family, kind, service and contract an event belongs to, by what it says of itself."""

from dataclasses import dataclass
from typing import Any

from sluice.contracts.model import BODY, Contract, Family, Kind, Registry
from sluice.events.reasons import Reason


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an event is. Without a contract there is a reason; without a reason the event is somebody else's."""

    contract: Contract | None = None
    reason: Reason | None = None
    family: str | None = None
    kind: Kind | None = None
    service: str | None = None


_UNRELATED = Recognition()
_NOT_AN_EVENT = Recognition(reason=Reason.NOT_AN_EVENT)


def recognise(registry: Registry, event: dict[str, Any]) -> Recognition:
    """Find the contract of a parsed event."""
    source = event.get("source")
    if not isinstance(source, str):
        return _NOT_AN_EVENT
    family = registry.family_of(source)
    if family is None:
        return _UNRELATED
    kind = _kind_of(family, event)
    service = _service_of(event, kind) if kind else None
    if kind is None or service is None:
        return Recognition(reason=Reason.NO_IDENTIFIER, family=family.name, kind=kind, service=service)
    contract = registry.contract_for(family.name, kind, service)
    reason = None if contract else Reason.NO_CONTRACT
    return Recognition(contract, reason, family.name, kind, service)


def _kind_of(family: Family, event: dict[str, Any]) -> Kind | None:
    detail_type = event.get("detail-type")
    return family.kinds.get(detail_type) if isinstance(detail_type, str) else None


def _service_of(event: dict[str, Any], kind: Kind) -> str | None:
    detail = event.get("detail")
    body = detail.get(BODY[kind]) if isinstance(detail, dict) else None
    if not isinstance(body, dict):
        return None
    service = body.get("service")
    if service is None and kind == "EVENT":
        service = _service_of_prediction(body.get("prediction_id"))
    return service if isinstance(service, str) and service else None


def _service_of_prediction(prediction_id: object) -> str | None:
    """Old-style evaluations name their service behind the last ``#`` of the prediction they judge."""
    if not isinstance(prediction_id, str) or "#" not in prediction_id:
        return None
    return prediction_id.rpartition("#")[2]
