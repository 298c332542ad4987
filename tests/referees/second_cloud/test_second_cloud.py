"""moto's server as another AWS: stages are deployed, changed and destroyed there as far as it knows their resources.

Where it and the local cloud differ, AWS's documentation says who is right (`_settled`).
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.platform.cdk import Cdk
from infra.stage import Stage
from tests.platform.infra.test_changes import CHANGES, template_of
from tests.referees.second_cloud.cloud import StackCloud, moto, read_template
from tests.referees.second_cloud.described import described, differences
from tests.referees.second_cloud.engine import MOTO, known_types
from tests.referees.second_cloud.stack import Json, as_text, types_of, without
from tests.support.local.emulated_lake import EmulatedLake
from tests.support.stages import FEATURE, STAGES, stage_named
from tests.support.synthesis import Synthesis

__all__ = ["template_of"]  # a fixture

pytestmark = pytest.mark.referee("moto")

ACCOUNT, REGION = "123456789012", "eu-central-1"

UNKNOWN = {
    "AWS::Athena::WorkGroup",
    "AWS::Chatbot::SlackChannelConfiguration",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::DSQL::Cluster",
    "AWS::Events::EventBusPolicy",
    "AWS::Glue::Database",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::QueryDefinition",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
    "Custom::IcebergTable",  # these two: their functions would have to run, which takes Docker there
    "Custom::Mart",
}
NOT_COMPARED = {"AWS::SecretsManager::Secret", "Custom::IcebergTable", "Custom::Mart"}  # names that are made up
UNCHANGEABLE = {"AWS::Lambda::LayerVersion", "AWS::Logs::LogGroup"}
"""Types that moto creates, and fails to update."""


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackCloud]:
    MOTO.or_skip()
    with moto(tmp_path_factory.mktemp("moto"), ACCOUNT, REGION) as cloud:
        yield cloud


@pytest.mark.usefixtures("second")
def test_it_knows_all_types_but_these(synthesis_of: Callable[[str], Synthesis]) -> None:
    used = {each for stage in (*STAGES, FEATURE) for each in types_of(synthesis_of(stage).template.body)}
    known = {each for each in known_types() if not each.startswith("Custom::")}
    assert used - known == UNKNOWN


def test_the_cdk_bootstraps_deploys_and_destroys(
    synthesis_of: Callable[[str], Synthesis], second: StackCloud, tmp_path: Path
) -> None:
    second.forget()
    synthesis = synthesis_of("dev")
    assembly = tmp_path / "assembly"
    shutil.copytree(synthesis.folder, assembly)
    template = without(read_template(assembly), UNKNOWN, ACCOUNT, REGION)
    (assembly / f"{synthesis.stage.stack_name}.template.json").write_text(as_text(template))
    cdk = Cdk(second.environment, tmp_path / "cdk.log", print)
    cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "")
    before = _everything(second)
    cdk("deploy", "--app", str(assembly), "--all", "--require-approval", "never")
    assert second.status(synthesis.stage.stack_name) == "CREATE_COMPLETE"
    assert len(described(second, synthesis.stage.stack_name)) > 100
    cdk("destroy", "--app", str(assembly), "--all", "--force")
    assert _everything(second) == before


@pytest.mark.parametrize("change", CHANGES)
def test_each_setting_is_changed_and_back(
    template_of: Callable[[Stage], Json], second: StackCloud, change: str
) -> None:
    second.forget()
    before, after = (_changeable(template_of(stage)) for stage in CHANGES[change])
    assert second.deploy("changing", before) == "CREATE_COMPLETE"
    assert second.deploy("changing", after, update=True) == "UPDATE_COMPLETE"
    assert second.deploy("changing", before, update=True) == "UPDATE_COMPLETE"


def test_both_clouds_say_the_same_of_the_local_stage(
    synthesis_of: Callable[[str], Synthesis], emulated_lake: EmulatedLake, tmp_path: Path
) -> None:
    MOTO.or_skip()
    stage, local = stage_named("local"), emulated_lake.cloud
    assert stage.account
    assert stage.region
    template = synthesis_of("local").template.body
    first = StackCloud(local.endpoint, stage.region, local.access_key_id, local.secret_access_key)
    said = {}
    with moto(tmp_path, stage.account, stage.region) as second:
        for cloud, missing in ((first, NOT_COMPARED), (second, UNKNOWN)):
            given = without(template, missing, stage.account, stage.region)
            assert cloud.deploy(stage.stack_name, given) == "CREATE_COMPLETE"
            said[cloud] = described(cloud, stage.stack_name)
    assert list(differences(_settled(said[first]), _settled(said[second]))) == []


def _settled(said: Json) -> Json:
    # moto's ARN of a log group lacks the `:*` that AWS::Logs::LogGroup gives, and Step Functions asks for.
    text = as_text(said).replace(':*"', '"')
    return dict(json.loads(text))


def _changeable(template: Json) -> Json:
    left = without(template, UNKNOWN | UNCHANGEABLE | _unknown(template), ACCOUNT, REGION)
    for each in left["Resources"].values():
        if each["Type"] == "AWS::Lambda::Function":
            each["Properties"].pop("Layers", None)
    return left


def _unknown(template: Json) -> set[str]:
    """Types of optional parts of a stage, the search and Slack, that moto does not know either."""
    return types_of(template) - known_types()


def _everything(cloud: StackCloud) -> dict[str, Any]:
    asked = {
        "s3": ("list_buckets", "Buckets"),
        "sqs": ("list_queues", "QueueUrls"),
        "dynamodb": ("list_tables", "TableNames"),
        "lambda": ("list_functions", "Functions"),
        "iam": ("list_roles", "Roles"),
        "stepfunctions": ("list_state_machines", "stateMachines"),
        "events": ("list_rules", "Rules"),
        "logs": ("describe_log_groups", "logGroups"),
        "sns": ("list_topics", "Topics"),
    }
    return {
        service: getattr(cloud.client(service), operation)().get(member, [])
        for service, (operation, member) in asked.items()
    }
