"""Column types of a version, recorded when it goes live: from then on there are files of them."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from sluice.contracts.load import read_json
from sluice.contracts.model import Contract, ContractError

_FILE = "recorded.json"


def record_types(contract: Contract, folder: Path) -> None:
    """Record the version of a contract and the types of its columns; raise ContractError where they contradict."""
    for message in check_recorded_types(contract, folder):
        raise ContractError(message)
    types = {column.name: column.type for column in contract.columns}
    record = {"version": contract.version, "columns": types}
    (folder / _FILE).write_bytes(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def check_recorded_types(contract: Contract, folder: Path) -> Iterator[str]:
    """Yield the columns whose types changed since they were recorded in `folder`, under the same version."""
    path = folder / _FILE
    if not path.exists():
        return
    try:
        record = read_json(path)
        version, recorded = record["version"], record["columns"].items()
    except (ContractError, KeyError, TypeError, AttributeError) as error:
        yield f"{_FILE} cannot be read ({error}): take it from the last commit"
        return
    types = {column.name: column.type for column in contract.columns}
    for name, type_ in recorded if version == contract.version else ():
        if types.get(name) != type_:
            change = f"is {types[name]} now" if name in types else "is gone"
            yield (
                f"column {name} was {type_} in version {version}, and {change}: raise the version in table.json, "
                f"or delete {_FILE} if no event was ever converted by it"
            )
