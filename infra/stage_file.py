"""Stages by name: those of the operator's file, `stages.toml`, and those that need none: local, dev, a feature's.

Each table of the file is a stage, named after it; its key `kind` says which values hold where the file gives none.
Tables within it, such as `event_files`, change the settings of its parts; `stages.example.toml` shows all of it.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

from infra.stage import OF_KIND, SETTINGS, Stage, StageKind, StageNameError
from infra.typed_table import TableError, assert_table, changed, keys_of, unknown_key

STAGES_FILE = Path(__file__).resolve().parents[1] / "stages.toml"

_KIND, _KINDS = "kind", ", ".join(StageKind)
_BUILT_IN = {"local": StageKind.LOCAL, "dev": StageKind.DEV}
_FEATURE = re.compile(r"[a-z]+-\d+(-[a-z0-9]+)*")  # a ticket, and words
# A lasting stage that is missing in the file must not become a throw-away one.
_NO_TICKETS = frozenset(
    "dev int integration live local main prd prod production qa release stage staging test uat".split()  # noqa: SIM905
)


class StageFileError(ValueError):
    """The file of stages cannot be read, or describes a stage wrongly; the message names file, key and remedy."""


def stage_named(name: str, file: Path | None = None) -> Stage:
    """Return the stage of that name, as the file describes it; without a file, the one in the project's root.

    Raises:
        StageNameError: The name is no stage's.
        StageFileError: The file is wrong.
    """
    described = _described(file)
    shown = (file or STAGES_FILE).name
    try:
        table = assert_table(described.get(name, {}), name)
        kind = _kind(name, table if name in described else None, described)
        given = {key: value for key, value in table.items() if key != _KIND}
        return _stage(name, kind, given)
    except TableError as error:
        raise StageFileError(f"{shown}: {error}") from None


def _described(file: Path | None) -> Mapping[str, object]:
    if file is None and not STAGES_FILE.exists():
        return {}
    path = file or STAGES_FILE
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise StageFileError(f"{path} cannot be read: {error.strerror}; name a file of stages that exists") from None
    except ValueError as error:  # of TOML or of UTF-8
        raise StageFileError(f"{path} is no TOML: {error}; correct it there") from None
    for name, table in described.items():
        if not isinstance(table, Mapping):
            raise StageFileError(f"{path.name}: {name} is no stage's table; write settings below the [name] of theirs")
    return described


def _kind(name: str, table: Mapping[str, object] | None, described: Mapping[str, object]) -> StageKind:
    if table is None:
        return _kind_without_file(name, described)
    if _KIND not in table and name not in _BUILT_IN:
        raise TableError(f"{name}: its kind is missing; add kind = one of {_KINDS}")
    given = table.get(_KIND, _BUILT_IN.get(name))
    if given not in list(StageKind):
        raise TableError(f"{name}.{_KIND}: {given!r} is wrong; use one of {_KINDS}")
    return StageKind(str(given))


def _kind_without_file(name: str, described: Mapping[str, object]) -> StageKind:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    replace(OF_KIND[StageKind.FEATURE], name=name)  # raises if it could name nothing
    if _FEATURE.fullmatch(name) and name.partition("-")[0] not in {*_NO_TICKETS, *described}:
        return StageKind.FEATURE
    known = [*_BUILT_IN, *described]
    close = difflib.get_close_matches(name, known, 1)
    meant = f" Did you mean {close[0]}?" if close else ""
    raise StageNameError(
        f"{name!r} is no stage: there are {', '.join(known)}, and a feature's own, which is named after its ticket, "
        f"such as we-1234-some-feature.{meant} Any other is described in a file of stages: see stages.example.toml"
    )


def _stage(name: str, kind: StageKind, given: Mapping[str, object]) -> Stage:
    parts = {_key(entry): resolve_name(entry).of(kind) for entry in SETTINGS}
    stage = replace(OF_KIND[kind], name=name)
    own = {key: value for key, value in given.items() if key not in parts}
    if kind is StageKind.LOCAL and (fixed := own.keys() & {"account", "region"}):
        raise TableError(f"{name}.{min(fixed)}: the local cloud has its own; leave it out")
    if kind is StageKind.LASTING and (missing := [key for key in ("account", "region") if not own.get(key)]):
        raise TableError(f'{name}: a lasting stage names its {missing[0]}; add {missing[0]} = "…"')
    known = [_KIND, *keys_of(Stage), *parts]
    for key in own:
        if key not in known:
            raise unknown_key(key, known, name)
    changes = {key: assert_table(given[key], f"{name}.{key}") for key in parts if key in given}
    settings = [changed(part, changes.get(key, {}), f"{name}.{key}") for key, part in parts.items()]
    return changed(stage, own, name).having(*settings)


def _key(entry: str) -> str:
    """Return the key of a part's settings: `event_files` for the class `EventFiles`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", entry.rpartition(":")[2]).lower()
