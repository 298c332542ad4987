"""A table's sample files: few events that together show every branch of its contract; made, written, checked."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from cli.contracts.generation import generate_event, mutate_event
from cli.contracts.validator_agreement import DualValidator, json_pointer
from sluice.contracts.load import Schema, json_type, read_json
from sluice.contracts.model import Contract, ContractError, Registry
from sluice.event_files.validate.event_processor import Recogniser

Event = dict[str, Any]
Feature = tuple[str, ...]
T = TypeVar("T")

_POOL = 120
_MOST_CLEAN = 6
_MOST_OWN = 5
_MOST_ENVELOPE = 2
_FEW = 3


def make_samples(contract: Contract) -> tuple[list[Event], list[dict[str, Any]]]:
    """Return clean events, and dirty ones as ``{"breaks": [pointer, …], "event": …}``; repeatable for a contract.

    Raises:
        ContractError: The contract's schema is such that none can be made.
    """
    rng = random.Random(contract.table)  # noqa: S311  # a seed makes the samples repeatable
    validator = DualValidator(contract.schema)
    tries = [_labelled(generate_event(contract, rng), validator) for _ in range(_POOL)]
    pool = [each["event"] for each in tries if each["breaks"] == [] and _is_of(contract, each["event"])]
    if not pool:
        raise ContractError(f"{contract.table}: no event could be generated; {_first_fault(tries)}: give it examples")
    clean = _choose(pool, lambda event: set(_features(contract.schema, event, "")), _MOST_CLEAN)

    def spoil(event: Event) -> dict[str, Any]:
        return _labelled(mutate_event(contract, event, rng)[0], validator)

    def features(sample: dict[str, Any]) -> set[Feature]:
        places = (pointer.split("/") for pointer in sample["breaks"])
        patterns = (tuple("*" if member.isdigit() else member for member in place) for place in places)
        return {*patterns, *(("rule", rule) for rule in validator.rules(sample["event"]))}

    once = [spoil(rng.choice(pool)) for _ in range(_POOL)]
    twice = [spoil(sample["event"]) for sample in once[:_FEW]]
    body = json_pointer([*contract.body, ""])  # the table's own; all tables share the envelope around it
    usable = [sample for sample in once if sample["breaks"]]
    own = [sample for sample in usable if sample["breaks"][0].startswith(body)]
    envelope = [sample for sample in usable if not sample["breaks"][0].startswith(body)]
    parts = ((own, _MOST_OWN), (envelope, _MOST_ENVELOPE), ([sample for sample in twice if sample["breaks"]], 1))
    return clean, [sample for part, most in parts for sample in _choose(part, features, most)]


def _labelled(event: Event, validator: DualValidator) -> dict[str, Any]:
    """Return an event with what it breaks; None where the validators disagree on that."""
    try:
        return {"breaks": sorted(validator.broken(event)), "event": event}
    except ValueError:
        return {"breaks": None, "event": event}


def _first_fault(tries: list[dict[str, Any]]) -> str:
    broken = next((each["breaks"] for each in tries if each["breaks"]), None)
    return f"what was tried breaks {broken[0] or 'the whole schema'}" if broken else "what was tried is of no table"


def _is_of(contract: Contract, event: Event) -> bool:
    return Recogniser(Registry((contract.family,), (contract,))).recognise(event).contract is contract


def write_samples(contract: Contract, folder: Path) -> None:
    """Write ``clean.json`` and ``dirty.json`` of a contract, one sample per line."""
    for name, samples in zip(("clean.json", "dirty.json"), make_samples(contract), strict=True):
        lines = b",\n".join(orjson.dumps(sample) for sample in samples)
        (folder / name).write_bytes(b"[\n" + lines + b"\n]\n")


def _choose(pool: Sequence[T], features: Callable[[T], set[Feature]], most: int) -> list[T]:
    """Return at most `most` of `pool`: each adds the most features not shown yet, the shortest of equals."""
    shown: set[Feature] = set()
    chosen: list[T] = []
    candidates = [(features(each), len(orjson.dumps(each)), each) for each in pool]
    while candidates and len(chosen) < most:
        best = max(candidates, key=lambda candidate: (len(candidate[0] - shown), -candidate[1]))
        if len(chosen) >= _FEW and best[0] <= shown:
            break
        candidates.remove(best)
        shown |= best[0]
        chosen.append(best[2])
    return chosen


def _features(schema: Schema, value: Any, where: str) -> Iterator[Feature]:  # noqa: ANN401
    """Yield the features of an event: types, allowed values and absences, each with its path."""
    yield where, json_type(value)
    if "enum" in schema:
        yield where, "is", str(value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        if known and not value.keys() <= known.keys():
            yield ("unknown member",)
        for name, member in known.items():
            if name in value:
                yield from _features(member, value[name], f"{where}/{name}")
            else:
                yield f"{where}/{name}", "absent"
    elif isinstance(value, list):
        yield where, "empty" if not value else "filled"
        for item in value:
            yield from _features(schema.get("items", {}), item, f"{where}/*")


def check_samples(contract: Contract, folder: Path, validator: DualValidator) -> Iterator[str]:
    """Check that the clean samples in `folder` are valid, and that dirty ones break where their label says."""
    for name in ("clean.json", "dirty.json"):
        try:
            samples = read_json(folder / name)
        except ContractError as error:
            yield f"{error}; `sluice contract samples {contract.table}` makes it"
            continue
        if not isinstance(samples, list) or not samples:
            yield f"{name} holds no list of samples"
            continue
        for index, sample in enumerate(samples):
            yield from (
                f"{name}, sample {index}: {message}" for message in _check_sample(sample, name, contract, validator)
            )


def _check_sample(sample: object, name: str, contract: Contract, validator: DualValidator) -> Iterator[str]:
    labelled = {"event": sample, "breaks": []} if name == "clean.json" else sample
    event, breaks = (labelled.get("event"), labelled.get("breaks")) if isinstance(labelled, dict) else (None, None)
    if not isinstance(event, dict) or breaks is None:
        yield "a dirty sample has an event and the pointers it breaks, a clean one is an event"
        return
    if not _is_of(contract, event):
        yield f"it is not recognised as an event of {contract.table}"
    try:
        broken = validator.broken(event)
    except ValueError as error:
        yield str(error)
        return
    if broken != set(breaks):
        yield f"it breaks {sorted(broken) or 'nothing'}, its label says {sorted(breaks) or 'nothing'}"
