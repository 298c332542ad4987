"""Events of one contract: recognised, checked, corrected and written as lines of its table, or rejected with reasons.

A line is the event as delivered, with a few technical members behind its own: copying bytes is the cheapest way to
change none of them. Only a corrected event is written anew.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from sluice.contracts.family import Family, Kind, Place, service_in
from sluice.contracts.model import Contract, Correction, Registry
from sluice.event_files.ledger.model import Counts, Reason
from sluice.event_files.media import FindMedia, NotLookedUpError
from sluice.event_files.validate.hours import time_reader
from sluice.event_files.validate.members import as_delivered, as_written, pointer, with_signed_zeros
from sluice.event_files.validate.rules import TOO_DEEP, InexactError, RuleBreak, Rules, mending_whole_numbers, whole

Event = dict[str, Any]

_ADD_TAG = "ADD_TAG"
_MEDIA = dict.fromkeys(("media_id", "media_type", "medialib"))


class _Done(NamedTuple):
    """Result of a correction."""

    changed: bool = False
    media_missing: int = 0
    replaced: tuple[str, ...] = ()
    """Values that gave way to others, so that no column has them: pointers, from the member on."""


_KEPT, _CHANGED, _MISSING = _Done(), _Done(changed=True), _Done(media_missing=1)
_FOUND, _NULL_TEXT = _Done(changed=True, replaced=("/media_id",)), _Done(changed=True, replaced=("",))

_Correct = Callable[[Event, str, Any, memoryview], _Done]
_Rule = Mapping[type, _Correct]
"""A rule's correction by type of value: gets an object, a member's name and value, and the event as delivered; it
changes the object in place."""

_INEXACT = "a whole number of 2^53 or more is exact only when it is written without point and exponent"


class Recognition(NamedTuple):
    """Family, kind, service and contract of an event; without a contract and a reason, the event is unrelated."""

    contract: Contract | None = None
    reason: Reason | None = None
    family: Family | None = None
    kind: Kind | None = None
    service: str | None = None


_UNRELATED = Recognition()
_NOT_AN_EVENT = Recognition(reason=Reason.NOT_AN_EVENT)


class Recogniser:
    """Finds the contracts of parsed events."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._expected = _expected(registry)

    def recognise(self, event: dict[str, Any]) -> Recognition:
        """Find the contract of an event."""
        try:  # the common case: source, type and service as the contracts write them
            first, second, third, elsewhere, services = self._expected[event["source"], event["detail-type"]]
            service = event[first][second].get(third)
            return services[elsewhere(event) if service is None else service]
        except (KeyError, TypeError, AttributeError):
            return self._by_rules(event)

    def _by_rules(self, event: dict[str, Any]) -> Recognition:
        source = event.get("source")
        if not isinstance(source, str):
            return _NOT_AN_EVENT
        family = self._registry.family_of(source)
        if family is None:
            return _UNRELATED
        kind = family.kind_of(event.get("detail-type"))
        service = family.service_of(event, kind) if kind else None
        if kind is None or service is None:
            return Recognition(reason=Reason.NO_IDENTIFIER, family=family, kind=kind, service=service)
        contract = self._registry.contract_for(family.name, kind, service)
        return Recognition(contract, None if contract else Reason.NO_CONTRACT, family, kind, service)


_Expected = tuple[str, str, str, Callable[[Event], str | None], Mapping[str | None, Recognition]]


def _expected(registry: Registry) -> Mapping[tuple[str, str], _Expected]:
    """Return, for each source and type, where the service is named three members deep, and the recognition by service.

    Other places cost a call, which is made where there is none.
    """
    services: dict[tuple[str, Kind], dict[str | None, Recognition]] = defaultdict(dict)
    for contract in registry.contracts:
        for service in contract.services:
            known = Recognition(contract, None, contract.family, contract.kind, service)
            services[contract.family.name, contract.kind][service] = known
    expected: dict[tuple[str, str], _Expected] = {}
    for family in registry.families:
        for detail_type, kind in family.kinds.items():
            match family.service[kind]:
                case (Place(path=(first, second, third), after_last=""), *others):
                    elsewhere = partial(service_in, places=others)
                    known_services = services[family.name, kind]
                    expected[family.source, detail_type] = (first, second, third, elsewhere, known_services)
    return expected


class Corrections:
    """The corrections of one contract, in order."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        self._groups = [
            (path, [(pointer([*each.member]), each.member[-1], _rule(each, find_media)) for each in group])
            for path, group in groupby(contract.corrections, key=_parent_path)
        ]
        self._media = [
            (_parent_path(each), each.member[-1]) for each in contract.corrections if each.rule == "media_uri"
        ]
        self._find_media = find_media

    def expect_media(self, event: Event) -> None:
        """Raise NotLookedUpError where an event names a medium that is not known yet, before more is done."""
        for path, member in self._media:
            parent: Any = event
            for each in path:
                parent = parent.get(each) if isinstance(parent, dict) else None
            value = parent.get(member) if isinstance(parent, dict) else None
            if isinstance(value, dict) and isinstance(value.get("media_id"), (str, int)):
                _find(self._find_media, parent, value)

    def apply(self, event: Event, raw: memoryview) -> tuple[bool, int, list[str]]:
        """Correct `event`, delivered as `raw`, in place.

        Return whether it was changed, how many of its media were not found, and pointers of the values that gave way
        to others. Raises InexactError, RecursionError.
        """
        changed, media_missing = False, 0
        replaced: list[str] = []
        for path, corrections in self._groups:
            parent: Any = event
            for member in path:
                parent = parent.get(member) if isinstance(parent, dict) else None
            if isinstance(parent, dict):
                for place, member, rule in corrections:
                    value = parent.get(member)
                    if correct := rule.get(type(value)):
                        try:
                            done = correct(parent, member, value, raw)
                        except InexactError:
                            raise InexactError(place) from None
                        if done is not _KEPT:
                            changed |= done.changed
                            media_missing += done.media_missing
                            if done.replaced:
                                replaced += [place + each for each in done.replaced]
        return changed, media_missing, replaced


def _parent_path(correction: Correction) -> tuple[str, ...]:
    return correction.member[:-1]


def _rule(correction: Correction, find_media: FindMedia) -> _Rule:
    if correction.rule == "media_uri":
        return {dict: partial(_media_uri, find_media)}
    if correction.rule == "json_text":
        return dict.fromkeys((bool, int, float, list, dict), partial(_json_text, pointer([*correction.member])))
    return _RULES[correction.rule]


def _integer_to_string(parent: Event, member: str, value: float, _raw: memoryview) -> _Done:
    parent[member] = str(whole(value))
    return _CHANGED


def _list_of_string(parent: Event, member: str, value: str, _raw: memoryview) -> _Done:
    parent[member] = [] if value == "null" else [value]
    return _NULL_TEXT if value == "null" else _CHANGED


def _json_text(place: str, parent: Event, member: str, value: Any, raw: memoryview) -> _Done:  # noqa: ANN401
    parent[member] = orjson.dumps(as_written({place: value}, raw)[place]).decode()
    return _CHANGED


def _null_media_of_add_tag(parent: Event, _: str, value: Event, _raw: memoryview) -> _Done:
    if parent.get("type") != _ADD_TAG:
        return _KEPT
    replaced = tuple(f"/{name}" for name in _MEDIA if value.get(name) is not None)
    value.update(_MEDIA)
    return _Done(changed=True, replaced=replaced)


def _media_uri(find_media: FindMedia, parent: Event, _: str, value: Event, _raw: memoryview) -> _Done:
    uri = _find(find_media, parent, value)
    if not uri:
        return _KEPT if uri is None else _MISSING
    value["media_id"] = uri
    return _FOUND


def _find(find_media: FindMedia, parent: Event, value: Event) -> str | None:
    """Return the URI of the medium that an event names, "" where it is missing, None where it names none."""
    media_id, medialib = value.get("media_id"), value.get("medialib")
    if parent.get("type") == _ADD_TAG or media_id is None or not isinstance(medialib, str):
        return None
    return find_media(medialib, str(media_id)) or ""


_RULES: dict[str, _Rule] = {
    "integer_to_string": dict.fromkeys((int, float), _integer_to_string),
    "list_of_string": {str: _list_of_string},
    "null_media_of_add_tag": {dict: _null_media_of_add_tag},
}


class EventProcessor:
    """Processes the events of one contract."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        self.columns_id = contract.columns_id
        self._rules = Rules(contract)
        self._corrections = Corrections(contract, find_media) if contract.corrections else None
        self._mend = mending_whole_numbers(contract)
        self.breaks = self._rules.breaks
        self.time_of = time_reader(contract.family.time)

    def process(
        self, event: dict[str, Any], raw: memoryview, lineage: bytes, counts: Counts
    ) -> bytes | list[RuleBreak]:
        """Check an event and return its line, or every rule it breaks.

        Raises NotLookedUpError where it names a medium that is not known yet; then `event` is as it was.

        Args:
            event: The parsed event; corrected in place.
            raw: The event as delivered, from its opening to its closing brace.
            lineage: End of its line: `lineage_of` its object, with its offset.
            counts: Takes the unknown members and missing media of a clean event.
        """
        unknown_members, missing, changed = 0, 0, False
        corrections = self._corrections
        if corrections:
            corrections.expect_media(event)
        try:
            if self._rules.hold(event):
                unread = self._rules.unread_of_usual(event)
            else:
                if breaks := self._rules.breaks(event, raw):
                    return breaks
                unread, unknown_members = self._rules.unread(event, raw)
                changed = self._mend(event)
            if corrections:
                corrected, missing, replaced = corrections.apply(event, raw)
                changed |= corrected
                if replaced:
                    unread.update(as_delivered(replaced, raw))
            rescued = orjson.dumps(unread) if unread else None
            text = self._written(event, raw) if changed else raw
        except NotLookedUpError:  # of a medium that a correction named
            event.clear()
            event |= orjson.loads(raw)
            raise
        except (RecursionError, orjson.JSONEncodeError):
            return [TOO_DEEP]
        except InexactError as error:
            return [RuleBreak("integer", error.pointer, _INEXACT)]
        if unknown_members or missing:
            counts.unknown_members += unknown_members
            counts.media_missing += missing
        return _line(text, lineage, rescued)

    def _written(self, event: dict[str, Any], raw: memoryview) -> memoryview:
        """Write a changed event anew; where a number is -0, its exact parse is changed likewise, and written."""
        if exact := with_signed_zeros(raw):
            event = exact
            self._mend(event)
            if self._corrections:
                self._corrections.apply(event, raw)
        return memoryview(orjson.dumps(event))


class EventProcessors(dict[str, EventProcessor]):
    """Event processors by table; one is compiled when its first event comes, so that a cold start is short."""

    def __init__(self, registry: Registry, find_media: FindMedia) -> None:
        super().__init__()
        self.recogniser = Recogniser(registry)
        self._registry = registry
        self._find_media = find_media

    def __missing__(self, table: str) -> EventProcessor:
        """Compile the processor of a table."""
        processor = self[table] = EventProcessor(self._registry.contract(table), self._find_media)
        return processor


def lineage_of(key: str) -> bytes:
    """Return the end of lines of events in the object `key`; the event's byte offset is put in by ``%``."""
    return b',"_source_key":%b,"_source_offset":%%d}\n' % orjson.dumps(key).replace(b"%", b"%%")


def _line(text: memoryview, lineage: bytes, rescued: bytes | None) -> bytes:
    """Put the technical members behind the event's own: of members of one name, the last holds."""
    if rescued is None:
        line = b"".join((text[:-1], lineage))
    else:
        line = b"".join((text[:-1], b',"_rescued":', orjson.dumps(rescued.decode()), lineage))
    if line.find(b"\n") < len(line) - 1:  # between members, for texts have them escaped
        return line[:-1].replace(b"\n", b" ") + b"\n"
    return line
