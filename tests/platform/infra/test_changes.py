"""Every setting of a deployed stage can be changed by one deployment, there and back.

CloudFormation refuses an export that is removed while another stack still imports it, a resource that changes its
type, and a second resource of a name: one that has to be replaced is made anew before the old one is deleted.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

import app
from infra.api_pull.settings import ApiPull
from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import ExistingCluster, Observability, Search, SlackChannel
from infra.recommender.settings import Recommender
from infra.stage import Batching, FunctionSize, Notebook, ProducerBucket, Stage
from infra.tables.settings import Tables
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.client.api import Environment
from tests.support.synthesis import Resource, settings

Body = dict[str, Any]

BASE = Stage(name="changing").having(EventFiles(), VendorExports(), Tables(), ApiPull(), Recommender(), Observability())
OTHER_DEPLOYMENT = {"name", "local", "account", "region", "parts"}  # no change of the same one
KEY = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-12345678901{}"
DOMAIN = ExistingCluster(url="https://logs.example", arn="arn:aws:es:eu-central-1:123456789012:domain/logs")

# Properties that CloudFormation cannot change without making the resource anew, of the types that have names of ours.
CREATE_ONLY: Mapping[str, set[str]] = {
    "AWS::ApiGatewayV2::Api": {"ProtocolType"},
    "AWS::Athena::WorkGroup": {"Name"},
    "AWS::Chatbot::SlackChannelConfiguration": {"ConfigurationName", "SlackWorkspaceId"},
    "AWS::CloudWatch::Alarm": {"AlarmName"},
    "AWS::CloudWatch::CompositeAlarm": {"AlarmName"},
    "AWS::CloudWatch::Dashboard": {"DashboardName"},
    "AWS::Glue::Database": {"CatalogId", "DatabaseName"},
    "AWS::Glue::Table": {"CatalogId", "DatabaseName"},
    "AWS::IAM::Role": {"RoleName", "Path"},
    "AWS::Logs::LogGroup": {"LogGroupName"},
    "AWS::Logs::QueryDefinition": set(),
    "AWS::OpenSearchServerless::AccessPolicy": {"Name", "Type"},
    "AWS::OpenSearchServerless::Collection": {"Name", "Type", "StandbyReplicas", "CollectionGroupName"},
    "AWS::OpenSearchServerless::CollectionGroup": {"Name", "StandbyReplicas", "Generation"},
    "AWS::OpenSearchServerless::SecurityPolicy": {"Name", "Type"},
    "AWS::SageMaker::MlflowApp": {"Name"},
    "AWS::StepFunctions::StateMachine": {"StateMachineName", "StateMachineType"},
}
KEEPING_DATA: Mapping[str, set[str]] = {
    "AWS::S3::Bucket": {"BucketName"},
    "AWS::DynamoDB::Table": {"TableName", "KeySchema", "LocalSecondaryIndexes"},
    "AWS::SecretsManager::Secret": {"Name"},
    "AWS::SQS::Queue": {"QueueName", "FifoQueue"},
}
TEXTS: Mapping[str, Any] = {
    "python_version": "3.13",
    "architecture": "x86_64",
    "log_level": "DEBUG",
    "environment": Environment.PROD,
    "unique_column": "id",
    "download_hosts": ("files.example",),
    "out_of_scope": ("ONE",),
    "log_retention_days": 180,
    "queue_retention_days": 7,
    "proxy": "http://proxy.example:3128",
    "instance_type": "ml.t3.large",
    "serve_authorisation": "jwt",
    "serve_jwt_issuer": "https://issuer.example",
    "serve_jwt_audience": "ours",
}
"""Values of settings that are no numbers, or not every number."""


def _other(name: str, value: object) -> object:
    """Return another valid value of a setting that changes how things are, but not which there are."""
    if name in TEXTS:
        return TEXTS[name]
    match value:
        case FunctionSize():
            return replace(value, memory_mb=value.memory_mb + 64, timeout_seconds=value.timeout_seconds - 1)
        case Batching():
            return replace(value, messages=value.messages + 1, max_concurrency=value.max_concurrency + 1)
        case bool() | None | tuple() | ProducerBucket():
            return value
        case int() | float():
            return value + 1
        case str():
            return "cron(7 6 * * ? *)" if "(" in value else f"{value}/other"
    raise AssertionError(f"{name}: no other value is known")


def _others(of: Any) -> Any:
    return replace(
        of, **{each.name: _other(each.name, getattr(of, each.name)) for each in fields(of) if _changes(each)}
    )


def _changes(field: Any) -> bool:
    return field.init and field.name not in OTHER_DEPLOYMENT


def _having(of: type[Any], **values: object) -> Stage:
    return BASE.having(replace(BASE.settings(of), **values))


def _searching(search: Search) -> Stage:
    return _having(Observability, search=search)


UNSCHEDULED = BASE.having(
    EventFiles(conversion_schedule=None, sweep_schedule=None, probe_schedule=None),
    VendorExports(schedule=None),
    ApiPull(schedule=None),
    Tables(schedule=None),
    Observability(daily_digest=None, weekly_digest=None),
)
API = "https://api.example.com"
SCHEDULED = BASE.having(
    replace(
        BASE.settings(VendorExports), schedule="cron(2 * * * ? *)", company="ours", download_hosts=("files.example",)
    ),
    replace(BASE.settings(ApiPull), schedule="cron(7 3 * * ? *)", source_url=API),
)
THEIRS = ProducerBucket(existing="theirs", owner="210987654321", kms_key=KEY.format(1), prefixes=("in/",))
SLACK = SlackChannel(workspace="T01", channel="C01")
CHANGES: Mapping[str, tuple[Stage, Stage]] = {
    "numbers, sizes, texts": (BASE, _others(BASE).having(*(_others(part) for part in BASE.parts))),
    "data is kept": (BASE, replace(BASE, keeps_data=False)),
    "source of another owner": (BASE, replace(BASE, source=THEIRS)),
    "another source": (replace(BASE, source=THEIRS), replace(BASE, source=ProducerBucket(existing="theirs-2"))),
    "prefixes": (BASE, replace(BASE, source=ProducerBucket(prefixes=("in/", "from/")))),
    "media of another owner": (BASE, replace(BASE, media=THEIRS)),
    "a key": (BASE, replace(BASE, kms_key=KEY.format(1))),
    "another key": (
        replace(BASE, kms_key=KEY.format(1)),
        replace(BASE, kms_key=KEY.format(2), former_kms_keys=(KEY.format(1),)),
    ),
    "schedules": (SCHEDULED, UNSCHEDULED),
    "models train anew": (BASE, _having(Recommender, retrain=True)),
    "models in an MLflow App": (BASE, _having(Recommender, mlflow_app=True)),
    "a header for the API": (BASE, _having(ApiPull, has_header=True, source_url=API)),
    "no alarms": (BASE, _having(Observability, alarms=False)),
    "no messages": (BASE, _having(Observability, pages=False)),
    "recipients": (BASE, _having(Observability, emails=("a@example.com",), slack=SLACK)),
    "another workspace": (
        _having(Observability, slack=SLACK),
        _having(Observability, slack=SlackChannel(workspace="T02", channel="C01")),
    ),
    "search": (BASE, _searching(Search())),
    "the search's settings": (
        _searching(Search()),
        _searching(_others(Search(readers=("arn:aws:iam::123456789012:role/lead",)))),
    ),
    "a notebook": (BASE, replace(BASE, notebook=Notebook())),
    "the notebook's settings": (replace(BASE, notebook=Notebook()), replace(BASE, notebook=_others(Notebook()))),
    "another cluster": (_searching(Search()), _searching(Search(cluster=DOMAIN))),
}


@pytest.fixture(scope="module")
def template_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Body]:
    @functools.cache
    def synthesised(stage: Stage, pipelines: tuple[str, ...] = app.PIPELINES) -> Body:
        from aws_cdk import App  # noqa: PLC0415  # starts a Node process

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app, "PIPELINES", pipelines)
            cdk = App(context=settings(), outdir=str(tmp_path_factory.mktemp("changes")))
            app.add_stack(cdk, stage)
            folder = Path(cdk.synth(skip_validation=True).directory)
        body: Body = json.loads((folder / f"{stage.stack_name}.template.json").read_text())
        return body

    return synthesised


@pytest.mark.parametrize("change", CHANGES)
def test_a_setting_is_changed_by_one_deployment_and_back(template_of: Callable[..., Body], change: str) -> None:
    before, after = map(template_of, CHANGES[change])
    assert before != after
    assert [*_refused(before, after), *_refused(after, before)] == []


def test_a_pipeline_with_all_its_functions_is_removed_and_added(template_of: Callable[..., Body]) -> None:
    for kept in app.PIPELINES:
        before, after = template_of(BASE), template_of(BASE, (kept,))
        assert len(after["Resources"]) < len(before["Resources"])
        assert [*_refused(before, after), *_refused(after, before)] == []


def test_every_setting_is_among_the_changes() -> None:
    def values(stage: Stage) -> Iterator[tuple[str, object]]:
        for of in (stage, *stage.parts, stage.settings(Observability).search or Search(), stage.notebook or Notebook()):
            for each in filter(_changes, fields(of)):
                yield f"{type(of).__name__}.{each.name}", getattr(of, each.name)

    known = {name for name, _ in values(BASE)}
    changed = {
        name
        for one, two in CHANGES.values()
        for (name, a), (_, b) in zip(values(one), values(two), strict=True)
        if a != b
    }
    assert known - changed == set()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Old": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "sluice-changing-a"}}}, "makes its name twice"),
        ({"New": {"Type": "AWS::SQS::Queue"}}, "changes its type"),
        (
            {"New": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "sluice-changing-a", "Path": "/other/"}}},
            "is made anew beside the old one of its name",
        ),
    ],
)
def test_what_cloudformation_refuses_is_seen(change: dict[str, Resource], why: str) -> None:
    before = {"New": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "sluice-changing-a"}}}
    (refusal,) = _refused({"Resources": before}, {"Resources": change})
    assert refusal.endswith(why)


def _refused(before: Body, after: Body) -> Iterator[str]:
    """Yield what CloudFormation would refuse, or what would lose data, in changing a stack."""
    text = json.dumps([before, after])
    yield from (
        f"{word} ties stacks together"
        for word in ("Fn::ImportValue", "Fn::GetStackOutput", "Export")
        if f'"{word}"' in text
    )
    TopologicalSorter({key: _needed(each) for key, each in after["Resources"].items()}).prepare()
    names = {name: key for key, each in before["Resources"].items() for name in _names(each)}
    for key, new in after["Resources"].items():
        old = before["Resources"].get(key)
        if any(names.get(name, key) != key for name in _names(new)):
            yield f"{key} makes its name twice"
        elif old is None:
            continue
        elif old["Type"] != new["Type"]:
            yield f"{key} changes its type"
        elif _anew(old, new, KEEPING_DATA):
            yield f"{key} is made anew, without its data"
        elif _anew(old, new, CREATE_ONLY) and set(_names(old)) & set(_names(new)):
            yield f"{key} is made anew beside the old one of its name"


def _anew(old: Resource, new: Resource, create_only: Mapping[str, set[str]]) -> bool:
    was, becomes = old.get("Properties", {}), new.get("Properties", {})
    return any(was.get(name) != becomes.get(name) for name in create_only.get(new["Type"], ()))


def _names(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield the physical name of a resource, if it is of the stage's making; its type's limits have to be known."""
    for member, value in resource.get("Properties", {}).items():
        if member.endswith("Name") and member != "DisplayName" and isinstance(value, str) and BASE.name in value:
            assert resource["Type"] in CREATE_ONLY, f"what of {resource['Type']} can be changed?"
            if resource["Type"] != "AWS::Logs::QueryDefinition":  # names of these may be the same
                yield f"{resource['Type']} {resource['Properties'].get('Type')}", value


def _needed(resource: Resource) -> set[str]:
    """Return the logical ids that a resource refers to."""
    found: set[str] = (
        {resource["DependsOn"]} if isinstance(resource.get("DependsOn"), str) else set(resource.get("DependsOn", ()))
    )

    def look(value: object) -> None:
        match value:
            case {"Ref": str(name)} if not name.startswith("AWS::"):
                found.add(name)
            case {"Fn::GetAtt": [str(name), *_]}:
                found.add(name)
            case dict():
                for each in value.values():
                    look(each)
            case list():
                for each in value:
                    look(each)

    look(resource.get("Properties", {}))
    return found
