"""Read the contracts from their folders: ``<root>/<family>/<TABLE>/{schema,table}.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from sluice.contracts.compose import Composer, beside
from sluice.contracts.model import Column, Contract, ContractError, Correction, Family, Registry
from sluice.contracts.system_tables import SYSTEM_TABLES

TABLES = Path(__file__).resolve().parent / "tables"
"""Where the packaged contracts are."""

Read = Callable[[Path], Any]


def load_registry(root: Path = TABLES) -> Registry:
    """Read every family and contract under `root`.

    Raises:
        ContractError: A file is missing, is not JSON, lacks a member, or two contracts claim the same events.
    """
    read = cache(read_json)
    composer = Composer(read)
    folders = sorted(path.parent for path in root.resolve().glob("*/family.json"))
    families = tuple(load_family(folder) for folder in folders)
    contracts = tuple(_contract(path, read, composer) for folder in folders for path in contract_folders(folder))
    return Registry(families, contracts, SYSTEM_TABLES)


def read_json(path: Path) -> Any:  # noqa: ANN401
    """The parsed JSON of a file; raise ContractError when there is none."""
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise ContractError(f"{path}: there is no such file") from None
    except orjson.JSONDecodeError as error:
        raise ContractError(f"{path}: this is not JSON: {error}") from None


def contract_folders(family: Path) -> list[Path]:
    """The folders of a family that hold a contract, by name."""
    return sorted(path.parent for path in family.glob("*/table.json"))


def load_contract(folder: Path) -> Contract:
    """Read one contract; the folder names the table, its parent the family. Raise ContractError as `load_registry`."""
    read = cache(read_json)
    return _contract(folder.resolve(), read, Composer(read))


def load_columns(path: Path) -> tuple[Column, ...]:
    """Read a shared list of columns, those it refers to included. Raise ContractError as `load_registry`."""
    return tuple(_column(each) for each in _items(read_json(path), path, read_json))


def _contract(folder: Path, read: Read, composer: Composer) -> Contract:
    path = folder / "table.json"
    table = read(path)
    try:
        return Contract(
            table=folder.name,
            family=folder.parent.name,
            kind=table["recognise"]["kind"],
            services=tuple(table["recognise"]["services"]),
            version=table["version"],
            doc=table["doc"],
            schema=composer.compose(folder / "schema.json"),
            columns=tuple(_column(each) for each in _items(table["columns"], path, read)),
            corrections=tuple(_correction(each) for each in _items(table.get("corrections", []), path, read)),
        )
    except (KeyError, TypeError) as error:
        raise ContractError(f"{path}: a member is missing or of the wrong kind: {error}") from error


def load_family(folder: Path) -> Family:
    """Read one family; the folder names it. Raise ContractError as `load_registry`."""
    path = folder / "family.json"
    family = read_json(path)
    try:
        return Family(folder.name, family["source"], dict(family["kinds"]), family["doc"])
    except (KeyError, TypeError, ValueError) as error:
        raise ContractError(f"{path}: a member is missing or of the wrong kind: {error}") from error


def _items(items: list[dict[str, Any]], path: Path, read: Read) -> Iterator[dict[str, Any]]:
    """The items of a list, those of the lists it refers to in their place."""
    for item in items:
        if "$ref" in item:
            shared = beside(path, item["$ref"])
            yield from _items(read(shared), shared, read)
        else:
            yield item


def _column(column: dict[str, Any]) -> Column:
    return Column(column["name"], split_path(column["path"]), column["type"], column["doc"])


def _correction(correction: dict[str, Any]) -> Correction:
    return Correction(correction["rule"], split_path(correction["member"]))


def split_path(path: str | list[str]) -> tuple[str, ...]:
    """The members of a path; one whose members hold dots is written as a list."""
    return tuple(path.split(".")) if isinstance(path, str) else tuple(path)
