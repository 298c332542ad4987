"""The functions of the Convert machine, called one after the other with what the machine passes on."""

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from sluice.aws import runtime
from sluice.aws.runtime import StepFunctionsExecutions
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.lease import LeaseLostError
from tests.support.lake_tables import data_files
from tests.support.lambda_handlers import Handler, load_handler
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, LEDGER, SOURCE, MotoStage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import assert_books_balance, ledger, tables

pytestmark = pytest.mark.usefixtures("roles")

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

STEPS = ("plan_conversion", "convert_batch", "commit_conversion", "profile_run")
ROLE = "arn:aws:iam::123456789012:role/machine"
BATCHES = ["00000-MICROONE_EVENT", "00001-MICROTWO_PRED", "00002-DIRTY"]
NEWEST = {"MICROONE_EVENT": "2024-02-29T10", "MICROTWO_PRED": "2024-02-29T00"}
DEFINITION = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}


class Machine:
    """Executions that Step Functions knows, with states that the test goes through itself."""

    def __init__(self, client: "SFNClient", monkeypatch: pytest.MonkeyPatch) -> None:
        self._client = client
        self._handlers: dict[str, Handler] = {name: load_handler(name, monkeypatch) for name in STEPS}
        machine = client.create_state_machine(name="convert", definition=json.dumps(DEFINITION), roleArn=ROLE)
        self._arn = machine["stateMachineArn"]

    def start(self, name: str) -> dict[str, str]:
        """Start an execution; return the input of its first state."""
        return {"execution": self._client.start_execution(stateMachineArn=self._arn, name=name)["executionArn"]}

    def end(self, execution: dict[str, str]) -> None:
        self._client.stop_execution(executionArn=execution["execution"])

    def plan(self, execution: dict[str, str]) -> Any:
        return _as_json(self._handlers["plan_conversion"](execution))

    def items(self, planned: Any) -> list[Any]:
        """Return the items of the map."""
        items: list[Any] = json.loads(objects_of(LAKE)[planned["plan_key"]])["groups"]
        return items

    def convert(self, item: Any) -> Any:
        return _as_json(self._handlers["convert_batch"](item))

    def run(self, name: str) -> Any:
        """Go through all states of an execution."""
        execution = self.start(name)
        return self.follow(execution, self.plan(execution))

    def follow(self, execution: dict[str, str], planned: Any) -> Any:
        """Do what the machine does after it has planned."""
        for item in self.items(planned):
            self.convert(item)
        rest = {"plan_key": planned["plan_key"]}
        committed = _as_json(self._handlers["commit_conversion"](rest | {"execution": execution["execution"]}))
        published = _as_json(self._handlers["profile_run"](rest))
        assert committed == planned
        assert published == {"run_id": planned["run_id"]}
        return json.loads(objects_of(LAKE)[f"runs/{planned['run_id']}/commit.json"])


@pytest.fixture
def machine(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Machine:
    moto_stage.arrive("x/a", body(event("MICROONE_EVENT", 1), event("MICROTWO_PRED", 2, hour=0), broken(1)))
    return Machine(runtime.step_functions(), monkeypatch)


def test_a_run(machine: Machine) -> None:
    execution = machine.start("a")
    planned = machine.plan(execution)
    assert planned["status"] == "planned"
    assert planned["plan_key"].startswith(f"runs/{planned['run_id']}/plan-")
    summary = machine.follow(execution, planned)
    assert summary == {
        "run_id": planned["run_id"],
        "status": "converted",
        "files": 1,
        "events": 2,
        "rows": {"MICROONE_EVENT": 1, "MICROTWO_PRED": 1},
        "parquet_files": 2,
        "parquet_bytes": sum(
            len(file) for key, file in data_files(LAKE).items() if "_EVENTS" not in key and "_LOG" not in key
        ),
        "bytes": len(objects_of(SOURCE)["x/a"]),
        "dirty": {"MICROONE_EVENT": {"RULE_BROKEN": 1}},
        "dirty_bytes": summary["dirty_bytes"],
        "dirty_files": 0,
        "unrelated": 0,
        "unknown_members": 2,
        "media_missing": 0,
        "newest_hours": NEWEST,
        "planned_at": summary["planned_at"],
        "left_out": [],
    }
    written = tables()
    assert {table: [row.get("id") for row in rows] for table, rows in written.items()} == {
        "MICROONE_EVENT": ["MICROONE_EVENT-1"],
        "MICROTWO_PRED": ["MICROTWO_PRED-2"],
        "PROFILING_LOG": [None] * 3,
        "DIRTY_EVENTS": [row["id"] for row in written["DIRTY_EVENTS"]],
    }
    assert_books_balance()
    assert not ledger("run")
    assert machine.plan(machine.start("b")) == {"status": "nothing_to_do", "run_id": None, "plan_key": None}
    assert not ledger("run")
    noted = DynamoRunLedger(runtime.dynamodb(), LEDGER).newest_hours()
    assert {table: f"{hour:%Y-%m-%dT%H}" for table, hour in noted.items()} == NEWEST


def test_a_group_with_a_chunk_that_cannot_be_read_names_it_and_counts_for_nothing(
    machine: Machine, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    planned = machine.plan(machine.start("a"))
    (item,) = machine.items(planned)
    spoilt = copy.deepcopy(item)
    spoilt["batches"][1]["spans"][0]["rows"] = 2
    machine.convert(spoilt)
    assert not _receipts(planned)
    assert caplog.messages[-1] == "chunk not read"
    assert "2 rows were planned, 1 are there" in caplog.records[-1].__dict__["reason"]
    assert "RowsConverted" not in capsys.readouterr().out
    assert machine.convert(item) == {"batches": BATCHES, "rows": 2, "left_out": 0}
    assert caplog.records[-1].__dict__["batches"] == len(BATCHES)
    assert '"RowsConverted":[2.0]' in capsys.readouterr().out.replace(" ", "")
    assert _receipts(planned) == {BATCHES[0]: BATCHES}
    machine.convert(item)
    assert "RowsConverted" not in capsys.readouterr().out


def test_busy_while_an_execution_goes_on_then_its_run_is_taken_over(machine: Machine, moto_stage: MotoStage) -> None:
    first = machine.start("a")
    planned = machine.plan(first)
    assert machine.plan(machine.start("b")) == {"status": "busy", "run_id": None, "plan_key": None}
    machine.end(first)
    moto_stage.arrive("x/b", body(event("MICROONE_EVENT", 3)))
    third = machine.start("c")
    assert machine.plan(third) == planned
    assert machine.plan(third) == planned, "its second attempt finds what its first has taken over"
    assert machine.follow(third, planned)["rows"] == {"MICROONE_EVENT": 1, "MICROTWO_PRED": 1}
    assert machine.follow(third, machine.plan(third))["rows"] == {"MICROONE_EVENT": 1}


def test_an_attempt_to_plan_that_wakes_after_its_execution_has_ended(machine: Machine, moto_stage: MotoStage) -> None:
    """Its run must not pass for the one that its execution has finished: the receipts of that prove nothing for it."""
    execution = machine.start("a")
    first = machine.plan(execution)
    machine.follow(execution, first)
    machine.end(execution)
    moto_stage.arrive("x/b", body(event("MICROONE_EVENT", 3), event("MICROTWO_PRED", 4, hour=0), broken(2)))
    late = machine.plan(execution)
    assert late["run_id"] > first["run_id"], "what is not a newer run's may be deleted as nobody's"
    second = machine.start("b")
    taken = machine.plan(second)
    assert taken == late
    machine.follow(second, taken)
    assert sorted(row["id"] for row in tables()["MICROONE_EVENT"]) == ["MICROONE_EVENT-1", "MICROONE_EVENT-3"]
    assert len(tables()["PROFILING_LOG"]) == 6
    assert_books_balance()


@pytest.mark.parametrize("ended", [False, True])
def test_an_execution_that_is_redriven_counts_nothing_that_another_one_does(machine: Machine, *, ended: bool) -> None:
    """Its record would hold the counts of that run once more."""
    failed = machine.start("a")
    planned = machine.plan(failed)
    machine.end(failed)
    if ended:
        machine.run("b")
    else:
        machine.plan(machine.start("b"))
    with pytest.raises(LeaseLostError, match="taken over by another execution"):
        machine.follow(failed, planned)


def test_an_expired_execution_is_not_running(machine: Machine) -> None:
    execution = machine.start("a")
    executions = StepFunctionsExecutions(runtime.step_functions())
    assert executions.is_running(execution["execution"])
    machine.end(execution)
    assert not executions.is_running(execution["execution"])
    assert not executions.is_running(execution["execution"] + "-forgotten")


def _receipts(planned: Any) -> dict[str, list[str]]:
    """Return the batches with a receipt, by the name of their group."""
    prefix = f"runs/{planned['run_id']}/receipts/"
    return {
        key.removeprefix(prefix).removesuffix(".jsonl"): [json.loads(line)["batch_id"] for line in body.splitlines()]
        for key, body in objects_of(LAKE, prefix).items()
    }


def _as_json(value: Any) -> Any:
    """Pass a state's output on as Step Functions does."""
    return json.loads(json.dumps(value))
