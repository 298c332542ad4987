"""Which family, kind, service and contract an event belongs to, by what it says of itself."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from sluice.contracts.model import BODY, Contract, Kind, Registry
from sluice.event_files.validate.reasons import Reason


class Recognition(NamedTuple):
    """What an event is. Without a contract there is a reason; without a reason the event is somebody else's."""

    contract: Contract | None = None
    reason: Reason | None = None
    family: str | None = None
    kind: Kind | None = None
    service: str | None = None


_UNRELATED = Recognition()
_NOT_AN_EVENT = Recognition(reason=Reason.NOT_AN_EVENT)


class Recogniser:
    """Finds the contracts of parsed events."""

    def __init__(self, registry: Registry) -> None:
        """Prepare for the events of the registry's contracts, which are nearly all there are."""
        self._registry = registry
        self._expected = _expected(registry)

    def recognise(self, event: dict[str, Any]) -> Recognition:
        """Find the contract of an event."""
        try:  # source and type as the contracts write them
            kind, services = self._expected[event["source"], event["detail-type"]]
        except (KeyError, TypeError):
            return self._by_rules(event)
        return services.get(_service_of(event, kind)) or self._by_rules(event)

    def _by_rules(self, event: dict[str, Any]) -> Recognition:
        source = event.get("source")
        if not isinstance(source, str):
            return _NOT_AN_EVENT
        family = self._registry.family_of(source)
        if family is None:
            return _UNRELATED
        detail_type = event.get("detail-type")
        kind = family.kinds.get(detail_type) if isinstance(detail_type, str) else None
        service = _service_of(event, kind) if kind else None
        if kind is None or service is None:
            return Recognition(reason=Reason.NO_IDENTIFIER, family=family.name, kind=kind, service=service)
        contract = self._registry.contract_for(family.name, kind, service)
        return Recognition(contract, None if contract else Reason.NO_CONTRACT, family.name, kind, service)


def _expected(registry: Registry) -> Mapping[tuple[str, str], tuple[Kind, Mapping[str | None, Recognition]]]:
    """For each source and type: the kind, and what is recognised by the service."""
    services: dict[tuple[str, Kind], dict[str | None, Recognition]] = defaultdict(dict)
    for contract in registry.contracts:
        for service in contract.services:
            known = Recognition(contract, None, contract.family, contract.kind, service)
            services[contract.family, contract.kind][service] = known
    return {
        (family.source, detail_type): (kind, services[family.name, kind])
        for family in registry.families
        for detail_type, kind in family.kinds.items()
    }


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
