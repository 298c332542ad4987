"""What a function could not do with its role, if others ran their code in it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.moto.stage import LAKE, LEDGER
from tests.support.roles import Roles
from tests.support.synthesis import Synthesis

Call = tuple[str, dict[str, Any]]

CHUNK = "data/clean_json/2026/01/31/a.jsonl"
DIRTY = "data/dirty_json/2026/01/31/a.jsonl"
TABLE = "data/clean_parquet/MICROONE_EVENT.parquet/year=2026/month=1/day=31/hour=0/a.parquet"
EXPORT = "runs/exports/20260131-12/run"
FOLDER = "DEV/IMOSDL/Hourly/20260131/12"
SOURCE, SLOT = "source#b/k", "Test"


def put(key: str, **conditions: str) -> Call:
    return "PutObject", {"Bucket": LAKE, "Key": key, **conditions}


def on(operation: str, key: str) -> Call:
    return operation, {"Bucket": LAKE, "Key": key}


def delete(*keys: str) -> Call:
    return "DeleteObjects", {"Bucket": LAKE, "Delete": {"Objects": [{"Key": key} for key in keys]}}


def item(operation: str, pk: str) -> Call:
    name = "Item" if operation == "PutItem" else "Key"
    return operation, {"TableName": LEDGER, name: {"pk": {"S": pk}}}


def get(*pks: str) -> Call:
    return "BatchGetItem", {"RequestItems": {LEDGER: {"Keys": [{"pk": {"S": pk}} for pk in pks]}}}


def query(pk: str) -> Call:
    values = {":pk": {"S": pk}}
    return "Query", {
        "TableName": LEDGER,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": values,
    }


def commit(*pks: str) -> Call:
    puts = [{"Put": item("PutItem", pk)[1]} for pk in pks]
    return "TransactWriteItems", {"TransactItems": puts}


NEW = {"IfNoneMatch": "*"}
SCAN = ("Scan", {"TableName": LEDGER})

REFUSED: dict[str, list[Call]] = {
    "validate_files": [
        put(CHUNK),
        *(on(operation, CHUNK) for operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")),
        put(TABLE, **NEW),
        on("GetObject", CHUNK),
        delete(CHUNK),
        *(item("PutItem", pk) for pk in ("run", "newest", "chunk#pendin", "xsource#b/k")),
        *(item(operation, pk) for operation in ("UpdateItem", "DeleteItem") for pk in (SOURCE, "chunk#pending")),
        commit(SOURCE, "run"),
        get(SOURCE, "run"),
        get(),
        query(SOURCE),
        SCAN,
    ],
    "plan_conversion": [
        put(f"{EXPORT}/plan-01.json"),
        put("runs/20260131T0/commit.json"),
        *(item("DeleteItem", pk) for pk in (SOURCE, "chunk#pending")),
        query(SOURCE),
        SCAN,
    ],
    "convert_batch": [put(CHUNK), put("runs/20260131T0/plan-a.json"), put(f"{EXPORT}/manifest.json"), delete(TABLE)],
    "commit_conversion": [
        delete(DIRTY),
        put(f"{EXPORT}/manifest.json"),
        *(item("PutItem", pk) for pk in (SOURCE, "chunk#pending", "run")),
        item("DeleteItem", SOURCE),
        item("DeleteItem", "run"),
    ],
    "profile_run": [put(TABLE), item("DeleteItem", "chunk#pending"), item("PutItem", "run")],
    "sweep_orphans": [delete(CHUNK, TABLE), put(CHUNK), get("run"), item("DeleteItem", "chunk#pending")],
    "probe_lag": [query("run"), SCAN],
    "list_files": [put(f"{FOLDER}/Voyage_0.json.gz"), put(f"{EXPORT}/results/0.json"), item("UpdateItem", SLOT)],
    "copy_files": [
        put("IMOSDL/Hourly/20260131/12/a"),
        put("DEV/IMOSDL/DataObservability/report.html"),
        put(f"{EXPORT}/manifest.json"),
        delete(f"{FOLDER}/a"),
        *(item(operation, SLOT) for operation in ("PutItem", "DeleteItem", "UpdateItem")),
        SCAN,
    ],
    "check_job": [item("UpdateItem", "upload"), item("UpdateItem", "Prod"), item("DeleteItem", SLOT)],
    "send_digest": [query("chunk#pending"), put(TABLE), delete(DIRTY)],
}
ALLOWED: dict[str, list[Call]] = {
    "validate_files": [put(CHUNK, **NEW), commit(SOURCE, "chunk#pending"), get(SOURCE, SOURCE)],
    "plan_conversion": [put("runs/20260131T0/plan-a.json"), query("chunk#pending"), item("UpdateItem", "run")],
    "copy_files": [put(f"{FOLDER}/a"), on("CreateMultipartUpload", f"{FOLDER}/a"), item("PutItem", "upload")],
    "send_digest": [query("newest")],
}


@pytest.fixture
def ours(synthesis_of: Callable[[str], Synthesis]) -> Roles:
    return Roles.of(synthesis_of("dev").template)


@pytest.mark.parametrize("folder", REFUSED)
def test_it_cannot(ours: Roles, folder: str) -> None:
    with ours.act_as(folder):
        assert [call for call in REFUSED[folder] if not ours.refusal(*call)] == []


@pytest.mark.parametrize("folder", ALLOWED)
def test_its_own_work_it_can(ours: Roles, folder: str) -> None:
    with ours.act_as(folder):
        assert [refused for call in ALLOWED[folder] if (refused := ours.refusal(*call))] == []
