"""Build-time checks of all contracts: what they say must hold together before a function relies on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.contracts.contract_checks import check_contract
from sluice.contracts.load import TABLES, load_contract, load_family
from sluice.contracts.model import Contract, ContractError, Family


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a table's contract (or a family) and what to do about it."""

    table: str
    message: str


def check_registry(root: Path = TABLES) -> list[Problem]:
    """Check every contract under `root`; an empty list means that functions may rely on them."""
    problems: list[Problem] = []
    families: list[Family] = []
    contracts: list[Contract] = []
    for path in sorted(root.resolve().glob("*/family.json")):
        try:
            families.append(load_family(path.parent))
        except ContractError as error:
            problems.append(Problem(path.parent.name, str(error)))
        else:
            problems += _check_family(path.parent, families[-1], contracts)
    if not families and not problems:
        problems.append(Problem("-", f"{root}: there is no family here, a folder with a family.json"))
    return [*problems, *_disputes(families, contracts)]


def _check_family(folder: Path, family: Family, contracts: list[Contract]) -> Iterator[Problem]:
    """Check the contracts of a family; those that load are added to `contracts`."""
    for table in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            contract = load_contract(table)
        except ContractError as error:
            yield Problem(table.name, str(error))
        else:
            contracts.append(contract)
            yield from (Problem(table.name, message) for message in check_contract(contract, family, table))


def _disputes(families: list[Family], contracts: list[Contract]) -> Iterator[Problem]:
    """Sources, services and table names that more than one family or contract claims."""
    claims: dict[tuple[str, ...], list[str]] = {}
    for family in families:
        claims.setdefault(("source", family.source.lower()), []).append(family.name)
    for contract in contracts:
        claims.setdefault(("table name", contract.table.lower()), []).append(f"{contract.family}/{contract.table}")
        for service in contract.services:
            claim: tuple[str, ...] = (contract.kind, "of service", service, "in", contract.family)
            claims.setdefault(claim, []).append(contract.table)
    for claim, owners in claims.items():
        if len(owners) > 1:
            yield Problem(
                owners[-1].rpartition("/")[2],
                f"{' '.join(claim)} is claimed by {' and '.join(owners)}; leave it to one of them",
            )
