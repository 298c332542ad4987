"""The examples of docs/tables.md, each run as it stands there: every engine gives the same rows after every commit."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.local.emulated_lake import DATABASE, HOUR, WORKGROUP, EmulatedLake

_DOCUMENT = Path(__file__).parents[3] / "docs" / "tables.md"
_EXAMPLES: dict[str, str] = dict(
    re.findall(r"^### (.+?)\n.*?^```python\n(.*?)^```", _DOCUMENT.read_text(), re.M | re.S)
)
_NAMES = {"sluice_dev": DATABASE, "sluice-dev": WORKGROUP}


@pytest.fixture
def lake(emulated_lake: EmulatedLake, monkeypatch: pytest.MonkeyPatch) -> EmulatedLake:
    """A lake to which the environment leads, as that of the shell."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in emulated_lake.cloud.profile.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")  # its own is a package more; without, it warns
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    return emulated_lake


def answers() -> dict[str, Any]:
    """What each example finds, by the type of the event."""
    found: dict[str, Any] = {}
    space: dict[str, Any] = {}
    for engine, code in _EXAMPLES.items():
        if engine == "Polars" and find_spec("polars") is None:  # 50 MB for one example: the bench's environment has it
            continue
        for name, own in _NAMES.items():
            code = code.replace(name, own)  # noqa: PLW2901
        exec(compile(code, engine, "exec"), space)  # noqa: S102  # an example of ours
        found[engine] = _counts(space["rows"])
    return found


def _counts(rows: Any) -> dict[str | None, int]:
    """Counts of whatever an engine returns: a frame, a table, or rows."""
    if hasattr(rows, "to_pylist"):
        rows = [tuple(each.values()) for each in rows.to_pylist()]
    elif hasattr(rows, "itertuples"):
        rows = rows.itertuples(index=False)
    elif hasattr(rows, "rows"):
        rows = rows.rows()
    return {kind: int(number) for kind, number in rows}


def test_every_engine_gives_the_same_rows_after_every_commit(lake: EmulatedLake) -> None:
    assert list(_EXAMPLES)[:4] == ["Athena, with awswrangler", "DuckDB", "PyIceberg", "Polars"]
    lake.prepare("MICROONE_EVENT", event_type="string")
    click, view = {"event_type": "click"}, {"event_type": "view"}
    first = lake.append("MICROONE_EVENT", [click, view, view])
    _all_find({"click": 1, "view": 2})
    later = {**HOUR, "hour": 11}
    second = lake.append("MICROONE_EVENT", [view], later)
    _all_find({"click": 1, "view": 3})
    lake.tables.roll_back("MICROONE_EVENT", first, second)
    _all_find({"click": 1, "view": 2})
    lake.prepare("MICROONE_EVENT", event_type="string", tags="array<struct<score:double>>")
    lake.append("MICROONE_EVENT", [{**click, "tags": [{"score": 0.5}]}], later)
    _all_find({"click": 2, "view": 2})


def _all_find(counts: dict[str, int]) -> None:
    for engine, found in answers().items():
        assert found == counts, engine


def test_texts_that_awswrangler_takes_for_nulls_are_kept_apart_by_our_query(lake: EmulatedLake) -> None:
    """Why `sluice query` does not use it; what is written in docs/tables.md of it holds as long as this does."""
    import awswrangler  # noqa: PLC0415 - slow to import

    from cli.platform.query import run_query  # noqa: PLC0415

    sql = "select * from (values (1, ''), (2, 'NaN'), (3, null)) as t(n, text) order by n"
    frame = awswrangler.athena.read_sql_query(sql, database=DATABASE, workgroup=WORKGROUP, ctas_approach=False)
    assert frame["text"].isna().tolist() == [True, True, True]
    assert [text for _, text in run_query(lake.deployment, sql).rows] == ["", "NaN", None]
