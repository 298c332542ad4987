"""`sluice dirty` on moto: groups, records with what is wrong marked, files for repair; nothing acts on the terminal."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_environment import connect_commands, deployment, sluice, sluice_json
from tests.support.lake_tables import DATABASE
from tests.support.moto.stage import LAKE, LEDGER, MotoStage
from tests.support.sample_events import body, broken, dump, event, illustration, unserved

HOSTILE = b'{"source":"\x1b]0;owned\x07\xe2\x80\xae", oops'


@pytest.fixture
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> MotoStage:
    connect_commands(deployment(outputs={"LedgerTable": LEDGER, "LakeBucket": LAKE, "Database": DATABASE}), monkeypatch)
    wrong = illustration(3, medialib="MyLib")
    late = event("MICROONE_EVENT", 4)
    late["time"] = "yesterday"
    del late["detail"]["partitionKey"]
    moto_stage.arrive("first", body(broken(1), broken(2), wrong, event("MICROONE_EVENT", 9)))
    moto_stage.arrive("second", json.dumps(late, indent=1).encode() + dump(unserved(5)) + HOSTILE)
    assert moto_stage.convert()
    return moto_stage


@pytest.mark.usefixtures("stage")
def test_groups() -> None:
    found = sluice_json("dirty")
    assert [(each["count"], each["table"], each["reason"], each["pointer"], each["why"]) for each in found[:1]] == [
        (2, "MICROONE_EVENT", "RULE_BROKEN", "/detail/evaluation/reporter", "not one of 'user'")
    ]
    assert sum(each["count"] for each in found) == 6
    assert "no UTC time such as 2026-11-30T10:00:00Z" in {each["why"] for each in found}
    assert "no contract for this service and kind" in {each["why"] for each in found}
    shown = sluice("dirty").stdout
    assert "MICROTHREE_EVENT" in shown
    assert "(?:" not in shown, "no regular expressions"


FILTERS: dict[str, tuple[list[str], int]] = {
    "table": (["--table", "microone_event"], 3),
    "no table": (["--table", "-"], 2),
    "reason and rule": (["--reason", "rule_broken", "--rule", "enum"], 3),
    "file": (["--file", "first"], 3),
    "since": (["--since", "2026-01-31"], 6),
    "since later": (["--since", "2026-02-01"], 0),
    "until": (["--until", "2026-01-31T12:00"], 0),
    "until later": (["--until", "2026-01-31T13:00"], 6),
    "another year": (["--since", "2025-12-31", "--until", "2026-12-01"], 6),
}


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize(("options", "count"), FILTERS.values(), ids=FILTERS.keys())
def test_filters(options: list[str], count: int) -> None:
    assert sum(each["count"] for each in sluice_json("dirty", *options)) == count
    assert len(sluice_json("dirty", "show", "--rows", 100, *options)) == count


@pytest.mark.usefixtures("stage")
def test_records_with_what_is_wrong_marked() -> None:
    shown = sluice("dirty", "show", "--rows", 100).stdout
    assert "reporter: \"nobody\"   ← not one of 'user'" in shown
    assert "partitionKey:    ← it is missing" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\\u001b]0;owned\\u0007\\u202e" in shown


def test_files_for_repair(stage: MotoStage, tmp_path: Path) -> None:
    folder = tmp_path / "repair"
    counts = sluice_json("dirty", "export", "--to", folder)
    assert counts == {"MICROONE_EVENT.jsonl": 3, "MICROTHREE_EVENT.jsonl": 1, "UNKNOWN.jsonl": 1, "pieces": 1}
    objects = {key: stage.s3.get_object(Bucket="source-bucket", Key=key)["Body"].read() for key in ("first", "second")}
    for name in ("MICROONE_EVENT", "MICROTHREE_EVENT", "UNKNOWN"):
        lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
        origins = [json.loads(line) for line in (folder / f"{name}.origins.jsonl").read_bytes().splitlines()]
        for number, (line, origin) in enumerate(zip(lines, origins, strict=True), 1):
            raw = _raw(objects, origin)
            assert json.loads(line) == json.loads(raw)
            assert (origin["line"], origin["digest"]) == (number, hashlib.sha256(raw).hexdigest())
    (origin,) = map(json.loads, (folder / "pieces.origins.jsonl").read_text().splitlines())
    assert (folder / origin["file"]).read_bytes() == _raw(objects, origin) == HOSTILE
    before = sorted(folder.iterdir())
    sluice("dirty", "export", "--to", folder, code=1)
    assert sorted(folder.iterdir()) == before
    assert [each.name for each in tmp_path.iterdir()] == ["repair"]


def _raw(objects: dict[str, bytes], origin: dict[str, Any]) -> bytes:
    start = origin["source_offset"]
    return objects[origin["source_key"]][start : start + origin["source_length"]]


@pytest.mark.usefixtures("stage")
def test_a_time_that_is_none() -> None:
    assert "is no time" in sluice("dirty", "--since", "soon", code=1).stderr
