"""The part of Pull that loads the mart: its functions with their rights in lake and mart, and its states."""

from aws_cdk import aws_stepfunctions as sfn

from infra.api_pull.functions import ANY_OBJECT, PullFunctions
from infra.api_pull.settings import ApiPull
from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine, Plan
from infra.platform.mart import Mart
from infra.platform.stage_stack import stage_of
from sluice.api_pull import run_summary as states
from sluice.api_pull.contracts import contracts
from sluice.api_pull.mart.steps import FAILURE, LOAD, PLAN
from sluice.api_pull.mart.tables import TABLES, VIEWS, migrations
from sluice.api_pull.model import PULLS_PREFIX
from sluice.lake.object_store import table_prefix

_ROWS = tuple(table.name for table in TABLES.values())


class MartFunctions:
    """One attribute per function that uses the mart; each connects as a database role of its own."""

    def __init__(self, functions: PullFunctions) -> None:
        self._functions = functions
        self._mart = mart = Mart.of(functions)
        mart.add(migrations(), VIEWS)
        lake = functions.lake.bucket
        in_lake = {"LAKE_BUCKET": lake.bucket_name}
        runs = f"{lake.bucket_arn}/{PULLS_PREFIX}*"
        self.begin_load = self._build("begin_load", "Begins the load of an endpoint into the mart", **in_lake)
        self.begin_load.allow(["s3:GetObject"], [f"{runs}/files.json"], ANY_OBJECT)
        self.begin_load.allow(["s3:PutObject"], [f"{runs}/{name}" for name in (PLAN, FAILURE)], ANY_OBJECT)
        self.begin_load.allow_list(lake.bucket_arn)
        changed = {"loads": ["SELECT", "INSERT", "UPDATE"], "load_parts": ["SELECT"], "current_loads": ["SELECT"]}
        mart.let(self.begin_load, changed)
        self.load_part = self._build("load_part", "Loads rows of an endpoint into the mart", "arrow", **in_lake)
        folders = [f"{lake.bucket_arn}/{table_prefix(each.table)}snapshot_date=*" for each in contracts().values()]
        self.load_part.allow(["s3:GetObject"], folders, ANY_OBJECT)
        self.load_part.allow(["s3:PutObject"], [f"{runs}/{FAILURE}"], ANY_OBJECT)
        rows = {table: ["SELECT", "INSERT", "UPDATE"] for table in _ROWS}
        mart.let(self.load_part, {"loads": ["SELECT"], "load_parts": ["SELECT", "INSERT"], **rows})
        self.publish_loads = self._build("publish_loads", "Makes visible what was loaded whole", **in_lake)
        self.publish_loads.allow(["s3:GetObject"], [f"{runs}/{FAILURE}"], ANY_OBJECT)
        self.publish_loads.allow_list(lake.bucket_arn)
        changed = {"loads": ["SELECT", "UPDATE"], "load_parts": ["SELECT"], "snapshots": ["SELECT"]}
        mart.let(self.publish_loads, {**changed, "current_loads": ["SELECT", "INSERT", "UPDATE"]})
        self.sweep_loads = self._build("sweep_loads", "Deletes rows of the mart that nothing shows or refers to")
        changed = {"loads": ["SELECT", "UPDATE", "DELETE"], "current_loads": ["SELECT"]}
        mart.let(self.sweep_loads, changed | {table: ["SELECT", "DELETE"] for table in ("load_parts", *_ROWS)})

    def _build(self, folder: str, purpose: str, *layers: str, **environment: str) -> PythonFunction:
        return self._functions.build(folder, purpose, "postgres", *layers, **environment)


def loading(machine: Machine, functions: MartFunctions, following: sfn.IChainable) -> sfn.IChainable:
    """Return the states that load what a pull kept, endpoint by endpoint, and then publish the day.

    A part that fails leaves its endpoint as it was before; a mart that cannot be reached ends it with `$.failure`.
    """
    pull = {"pull": sfn.JsonPath.object_at("$.pull")}
    at_first = sfn.Pass(
        machine,
        "Load the mart",
        result=sfn.Result.from_object({"turn": 0}),
        result_path="$.load",
        comment="From here on",
    )
    turn = {**pull, "turn": sfn.JsonPath.number_at("$.load.turn")}
    begin = machine.call(states.BEGIN_LOAD, functions.begin_load, turn, following, "$.load")
    lost = machine.failure("Part not loaded", "Its endpoint is not published.")
    load = machine.each(
        states.LOAD_PARTS,
        machine.call("Load a part", functions.load_part, None, lost),
        comment="A part that fails does not end it: an endpoint without all its parts is not published",
        plan=Plan(PULLS_PREFIX, "$.load.plan_key", "parts"),
        concurrency=stage_of(machine).settings(ApiPull).load_max_concurrency,
        failed=begin,
        tolerates_failures=True,
    )
    publish = machine.call(states.PUBLISH, functions.publish_loads, pull, following, "$.mart")
    sweep = machine.call(states.SWEEP, functions.sweep_loads, pull, following, "$.sweep")
    swept = sfn.Choice(machine, "Is all that is old deleted?", comment="As much at a time as a call has time for")
    swept.when(sfn.Condition.boolean_equals("$.sweep.is_over", value=False), sweep).otherwise(following)
    question = sfn.Choice(machine, "Is there an endpoint to load?", comment="One that is kept, and was not looked at")
    question.when(sfn.Condition.string_equals("$.load.next_step", LOAD), load).otherwise(publish)
    at_first.next(begin)
    begin.next(question)
    load.next(begin)
    publish.next(sweep)
    sweep.next(swept)
    return at_first
