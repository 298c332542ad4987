"""Samples behave as labelled: clean ones are valid, dirty ones break exactly where their label says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.contracts.validator_agreement import Referee
from sluice.contracts.load import read_json
from sluice.contracts.model import Contract, ContractError, Family, Registry
from sluice.event_files.validate.recognition import Recogniser


def check_samples(contract: Contract, family: Family, folder: Path, referee: Referee) -> Iterator[str]:
    """What is wrong with ``clean.json`` and ``dirty.json`` in `folder`."""
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
                f"{name}, sample {index}: {message}" for message in _check(sample, name, contract, family, referee)
            )


def _check(sample: Any, name: str, contract: Contract, family: Family, referee: Referee) -> Iterator[str]:  # noqa: ANN401
    labelled = {"event": sample, "breaks": []} if name == "clean.json" else sample
    event, breaks = (labelled.get("event"), labelled.get("breaks")) if isinstance(labelled, dict) else (None, None)
    if not isinstance(event, dict) or breaks is None:
        yield "a dirty sample has an event and the pointers it breaks, a clean one is an event"
        return
    if Recogniser(Registry((family,), (contract,))).recognise(event).contract is not contract:
        yield f"it is not recognised as an event of {contract.table}"
    try:
        broken = referee.broken(event)
    except ValueError as error:
        yield str(error)
        return
    if broken != set(breaks):
        yield f"it breaks {sorted(broken) or 'nothing'}, its label says {sorted(breaks) or 'nothing'}"
