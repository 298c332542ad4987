"""The mart in the template: its cluster, who may connect to it as what, and what they may do there."""

from collections.abc import Callable
from typing import Any

from aws_cdk import App

from infra.event_files.part import EventFilesPart
from infra.platform.lake_part import LakePart
from infra.platform.mart import Mart
from infra.platform.stage_stack import StageStack
from sluice.api_pull.mart.tables import TABLES, VIEWS, migrations
from sluice.recommender.mart import recommendations_postgres as recommender
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, listed, settings

CLUSTER = "AWS::DSQL::Cluster"
PULLING = {"begin_load", "load_part", "publish_loads", "sweep_loads"}
RECOMMENDING = {
    "begin_inference",
    "begin_training",
    "extract_mart",
    "load_recommendations",
    "serve_recommendations",
}
CONNECTS = {*PULLING, *RECOMMENDING, "reader"}


def mart_of(stage: Synthesis) -> dict[str, Any]:
    properties: dict[str, Any] = stage.template.named("Custom::Mart", "Mart")["Properties"]
    return properties


def connecting(stage: Synthesis, action: str) -> set[str]:
    """Return the logical ids of roles that may do an action of DSQL's data plane."""
    return {
        role["Ref"]
        for policy in stage.template.of_type("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if action in listed(statement["Action"])
        for role in policy["Properties"]["Roles"]
    }


def test_a_lasting_cluster_cannot_be_deleted(dev: Synthesis, prd: Synthesis) -> None:
    (passing,) = dev.template.of_type(CLUSTER).values()
    (lasting,) = prd.template.of_type(CLUSTER).values()
    assert (lasting["Properties"]["DeletionProtectionEnabled"], lasting["DeletionPolicy"]) == (
        True,
        "RetainExceptOnCreate",
    )
    assert (passing["Properties"]["DeletionProtectionEnabled"], passing["DeletionPolicy"]) == (False, "Delete")


def test_every_function_connects_as_itself_and_only_the_migration_as_administrator(dev: Synthesis) -> None:
    roles = {each["Name"]: each for each in mart_of(dev)["Roles"]}
    assert roles.keys() == CONNECTS
    granted = {role["Arn"]["Fn::GetAtt"][0] for role in roles.values()}
    assert len(granted) == len(CONNECTS)
    assert connecting(dev, "dsql:DbConnect") == granted
    (administrator,) = connecting(dev, "dsql:DbConnectAdmin")
    assert administrator.startswith("MartPrepareMart")


def test_privileges_are_those_of_each_step(dev: Synthesis) -> None:
    may = {role["Name"]: {tuple(each) for each in role["Privileges"]} for role in mart_of(dev)["Roles"]}
    rows = {table.name for table in TABLES.values()}
    assert may["reader"] == {("SELECT", view) for view in (*VIEWS, *recommender.VIEWS)}
    assert {name for name in may if ("DELETE", "users_by_load") in may[name]} == {"sweep_loads"}
    assert {name for name in may if ("INSERT", "listens_by_load") in may[name]} == {"load_part"}
    assert {name for name in may if ("UPDATE", "current_loads") in may[name]} == {"publish_loads"}
    assert not {table for _, table in may["begin_load"] | may["publish_loads"]} & rows
    reading = RECOMMENDING - {"load_recommendations"}
    assert {what for name in reading for what, _ in may[name]} == {"SELECT"}
    assert {name for name in may if ("INSERT", recommender.RECOMMENDATIONS) in may[name]} == {"load_recommendations"}


def test_the_migrations_are_the_files(dev: Synthesis) -> None:
    assert mart_of(dev)["Migrations"] == [
        {"Name": each.name, "Sql": each.sql} for each in (*migrations(), *recommender.migrations())
    ]


def test_a_stage_whose_pipelines_use_none_has_none() -> None:
    stack = StageStack(App(context=settings()), stage_named("dev"))
    EventFilesPart(stack, lake=LakePart(stack))
    assert Mart.existing(stack) is None


def test_the_local_cloud_has_the_roles_and_its_own_server(synthesis_of: Callable[[str], Synthesis]) -> None:
    local = synthesis_of("local")
    assert not local.template.of_type(CLUSTER)
    assert {each["Name"] for each in mart_of(local)["Roles"]} == CONNECTS
    assert "MartEndpoint" not in local.template.outputs()
    places = {
        function["Properties"]["Environment"]["Variables"]["MART_ENDPOINT"]
        for function in local.template.of_type("AWS::Lambda::Function").values()
        if "MART_ROLE" in function["Properties"]["Environment"]["Variables"]
    }
    assert places == {"local.localhost"}  # by the stage's name: no two stages have the same
