"""Contracts drafted from sample events, of any producer; each draft is tried on its own samples."""

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from cli.contracts.check import check_contract
from cli.contracts.drafting import Draft, Group, draft, plain_name, unique
from cli.contracts.samples import write_samples
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.family import ANY_TYPE, Family, Kind, Place
from sluice.contracts.load import TABLES, load_registry, steps_of
from sluice.contracts.model import Contract, ContractError, Registry
from sluice.event_files.ledger.model import Counts
from sluice.event_files.validate.event_processor import EventProcessors, Recogniser, Recognition, lineage_of

Event = dict[str, Any]

_INDEX = re.compile(r"/[0-9]+(?=/|$)")
_NO_ENVELOPE = "no EventBridge envelope: source and detail-type are texts, detail is an object"
_NO_NAME = "an event of the family {} that names no kind or no service, at the places its family.json says"


@dataclass(frozen=True, slots=True)
class Inference:
    """Drafts from samples, and how many samples were passed over, by reason."""

    drafts: list[Draft] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Samples:
    """Samples of one table, as delivered and parsed."""

    family: Family
    kind: Kind
    services: dict[str, None] = field(default_factory=dict)
    texts: list[bytes] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def infer_contracts(texts: Iterable[bytes], *roots: Path) -> Inference:
    """Draft one contract per family, kind and service of events, given as delivered.

    A source that no family claims becomes a family of its own, whose `detail-type` names the service. Services that
    differ in what a table's name cannot show are taken for spellings of one.

    Args:
        texts: The events.
        roots: Folders of the contracts there are, later ones over earlier ones.

    Raises:
        ContractError: The contracts there are cannot be loaded.
    """
    inference = Inference()
    with _stage(roots or (TABLES,)) as stage:
        registry = load_registry(stage)
        groups = _grouped(texts, registry, inference.passed_over)
        taken = {contract.table for contract in registry.contracts}
        for samples in groups.values():
            family, table = samples.family, _table_name(registry, samples, taken)
            shutil.rmtree(stage / family.name / table, ignore_errors=True)
            group = Group(family, samples.kind, table, tuple(samples.services), samples.events)
            drafted = draft(group, stage)
            if family not in registry.families:
                drafted.new_family = _family_file(family)
            _try(drafted, samples, stage)
            inference.drafts.append(drafted)
    return inference


@contextmanager
def _stage(roots: Iterable[Path]) -> Iterator[Path]:
    """Give a folder with a copy of the contracts there are, in which drafts can be tried."""
    with TemporaryDirectory() as folder:
        stage = Path(folder).resolve() / "tables"
        for root in roots:
            if root.is_dir():
                shutil.copytree(root, stage, dirs_exist_ok=True)
        yield stage


def _grouped(
    texts: Iterable[bytes], registry: Registry, passed_over: Counter[str]
) -> dict[tuple[str, Kind, str], _Samples]:
    """Group events by family, kind and the table that their service's name gives."""
    recogniser = Recogniser(registry)
    foreign: dict[str, Family] = {}
    names = {"shared", *(family.name for family in registry.families)}
    groups: dict[tuple[str, Kind, str], _Samples] = {}
    for text in texts:
        event = orjson.loads(text)
        known = recogniser.recognise(event)
        if not known.contract and not known.reason:
            source = event["source"].lower()
            if source not in foreign and _is_envelope(event):
                foreign[source] = _new_family(event["source"], names)
                names.add(foreign[source].name)
            known = _known(event, foreign.get(source))
        if known.family and known.kind and known.service:
            table = known.contract.table if known.contract else plain_name(known.service).upper()
            samples = groups.setdefault((known.family.name, known.kind, table), _Samples(known.family, known.kind))
            samples.services[known.service] = None
            samples.texts.append(text)
            samples.events.append(event)
        else:
            passed_over[_NO_NAME.format(known.family.name) if known.family else _NO_ENVELOPE] += 1
    return groups


def _is_envelope(event: Event) -> bool:
    named = [event.get("source"), event.get("detail-type")]
    return all(isinstance(name, str) and name.strip() for name in named) and isinstance(event.get("detail"), dict)


def _known(event: Event, family: Family | None) -> Recognition:
    if family is None or not _is_envelope(event):
        return Recognition()
    return Recognition(None, None, family, "EVENT", family.service_of(event, "EVENT"))


def _new_family(source: str, names: set[str]) -> Family:
    """Return the family of a source: its `detail-type` says what an event is, as EventBridge has it."""
    name = unique(plain_name(source).lower() or "family", names)
    service: dict[Kind, tuple[Place, ...]] = {"EVENT": (Place(("detail-type",)),)}
    return Family(name, source, {ANY_TYPE: "EVENT"}, service, ("time",), ("id",), f"Events of {source}: say who it is.")


def _family_file(family: Family) -> dict[str, Any]:
    return {
        "source": family.source,
        "kinds": dict(family.kinds),
        "service": {kind: [json_pointer(place.path) for place in places] for kind, places in family.service.items()},
        "time": json_pointer(family.time),
        "id": json_pointer(family.id),
        "doc": family.doc,
    }


def _table_name(registry: Registry, samples: _Samples, taken: set[str]) -> str:
    """Return the name of the table: that of the contract there is, or one that no other table has."""
    for service in samples.services:
        if contract := registry.contract_for(samples.family.name, samples.kind, service):
            return contract.table
    end = f"_{samples.kind}"
    stems = {table.removesuffix(end) for table in taken if table.endswith(end)}
    stem = plain_name(next(iter(samples.services))).upper().removesuffix(end)
    if not stem[:1].isalpha() or stem in stems:
        stem = "_".join(filter(None, (samples.family.name.upper(), stem)))
    stem = unique(stem if stem[:1].isalpha() else f"T_{stem}", stems)
    taken.add(stem + end)
    return stem + end


def _try(drafted: Draft, samples: _Samples, stage: Path) -> None:
    """Put a draft among the contracts of the stage, run it over its own samples, and check it."""
    folder = drafted.write(stage)
    registry = load_registry(stage)
    contract = registry.contract(drafted.table)
    recogniser, processors = Recogniser(registry), EventProcessors(registry, lambda _library, _id: None)
    for text in samples.texts:
        event = orjson.loads(text)
        if recogniser.recognise(event).contract is not contract:
            _count(drafted.dirty, [f"the event is not recognised as one of {drafted.table}"])
            continue
        line = processors[drafted.table].process(event, memoryview(text), lineage_of("") % 0, Counts())
        if isinstance(line, list):
            _count(drafted.dirty, [f"{_pattern(each.pointer) or 'the event'}: {each.message}" for each in line])
        else:
            drafted.clean += 1
            _count(drafted.rescued, (_pattern(place) for place in _rescued(line) if _is_own(place, drafted, contract)))
    try:
        write_samples(contract, folder)
    except ContractError as error:
        drafted.problems.append(str(error))
    drafted.problems += check_contract(contract, folder)
    if drafted.problems:
        shutil.rmtree(folder)


def _rescued(line: bytes) -> list[str]:
    return list(orjson.loads(orjson.loads(line).get("_rescued") or "{}"))


def _is_own(pointer: str, drafted: Draft, contract: Contract) -> bool:
    """Return whether a member without a column is the draft's doing, not that of what all of its family share."""
    schema = drafted.schema
    for name in steps_of(pointer):
        if "properties" not in schema:
            return True
        schema = schema["properties"].get(name)
        if schema is None:
            return False
    return pointer != json_pointer(contract.places[0].path)


def _count(counts: dict[str, int], found: Iterable[str]) -> None:
    for each in dict.fromkeys(found):
        counts[each] = counts.get(each, 0) + 1


def _pattern(pointer: str) -> str:
    """Return a JSON pointer without the places in lists."""
    return _INDEX.sub("/*", pointer)
