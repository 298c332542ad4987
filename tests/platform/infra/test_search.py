"""The profiling search: none by default, a collection of the stage's own, or a cluster that is there."""

import functools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import ExistingCluster, Observability, Search
from infra.platform.search import short_name
from infra.stage import ProducerBucket
from sluice.contracts.load import load_registry
from sluice.search.indices import Indices, fingerprint
from tests.platform.infra import test_functions, test_machines
from tests.platform.infra.expected_rights import EVERY_FUNCTION
from tests.platform.infra.granted_rights import rights
from tests.platform.infra.layers import test_imports
from tests.platform.infra.observability.observability_template import ObservabilityTemplate
from tests.platform.infra.test_functions import SEARCH_FOLDERS
from tests.support.machine_graph import Machine, is_end, machine, path
from tests.support.stages import FEATURE, stage_named
from tests.support.synthesis import ROOT, Synthesis, synthesise, text

LEAD = "arn:aws:iam::123456789012:role/lead"
DOMAIN = "arn:aws:es:us-east-1:123456789012:domain/logs"
OTHERS = "arn:aws:aoss:us-east-1:123456789012:collection/abc"
SEARCHES = {
    "managed": Search(readers=(LEAD,), retention_days=33, collection_hold_minutes=44, collection_max_units=4),
    "domain": Search(cluster=ExistingCluster(url="https://logs.example", arn=DOMAIN)),
    "collection": Search(
        cluster=ExistingCluster(url="https://abc.example", arn=OTHERS, boards_url="https://boards.example/app")
    ),
}
LOAD, REST = "Load the profiling log into the search cluster", "Load what the search cluster still misses"
AOSS = "AWS::OpenSearchServerless::"


@pytest.fixture(scope="session")
def searching(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    @functools.cache
    def of(name: str) -> Synthesis:
        stage = replace(stage_named("int"), name=name, source=ProducerBucket(), media=ProducerBucket())
        searched = stage.having(Observability(search=SEARCHES[name]))
        return synthesise(searched, Path(tmp_path_factory.mktemp(name)))

    return of


@pytest.fixture(params=SEARCHES)
def each(request: pytest.FixtureRequest, searching: Callable[[str], Synthesis]) -> Synthesis:
    return searching(request.param)


@pytest.fixture
def managed(searching: Callable[[str], Synthesis]) -> Synthesis:
    return searching("managed")


@pytest.fixture
def convert(each: Synthesis) -> Machine:
    return machine(each.event_files, "Convert")


def test_no_stage_searches_unless_it_is_asked_to(stage: Synthesis) -> None:
    assert all(stage_named(name).settings(Observability).search is None for name in ("prd", FEATURE))
    kinds = {resource["Type"] for _, resource in stage.resources()}
    assert not [kind for kind in kinds if kind.startswith((AOSS, "Custom::ProfilingSearch"))]
    assert {folder for folder, _ in stage.functions()}.isdisjoint(SEARCH_FOLDERS)
    assert LOAD not in machine(stage.event_files, "Convert").states
    assert stage.function("profile_run")["Environment"]["Variables"]["SEARCHED"] == ""


# The machine


def test_a_run_ends_well_whether_it_could_be_loaded_or_not(convert: Machine) -> None:
    assert path(convert.definition, "Publish the profiling log") == ["Publish the profiling log", LOAD, "Run converted"]
    assert [rule["Next"] for rule in convert.states[LOAD]["Catch"]] == ["Run converted"]
    assert convert.states["Run converted"]["Type"] == "Succeed"


def test_a_run_with_nothing_to_do_loads_what_is_missing(convert: Machine) -> None:
    choices = convert.states["Is there anything to convert?"]["Choices"]
    assert [rule["Next"] for rule in choices if rule["StringEquals"] == "nothing_to_do"] == [REST]
    assert [rule["Next"] for rule in convert.states[REST]["Catch"]] == ["Nothing to convert"]
    assert convert.states[REST]["Next"] == "Nothing to convert"
    assert is_end(convert.states["Nothing to convert"])


def test_loading_leaves_time_to_the_run(each: Synthesis, convert: Machine) -> None:
    extra = convert.definition["TimeoutSeconds"] - 60 * each.stage.settings(EventFiles).conversion_timeout_minutes
    load = convert.states[LOAD]
    again = next(rule for rule in load["Retry"] if "States.Timeout" in rule["ErrorEquals"])
    assert extra >= (1 + again["MaxAttempts"]) * load["TimeoutSeconds"]
    assert load["Parameters"] == convert.states[REST]["Parameters"] == {}


@pytest.mark.parametrize(
    "check",
    [
        test_machines.test_every_target_exists,
        test_machines.test_every_state_is_reachable,
        test_machines.test_every_path_ends,
        test_machines.test_every_task_is_bounded_retried_with_jitter_and_caught,
        test_machines.test_a_task_waits_longer_than_its_function_may_take,
        test_machines.test_names_and_comments_read_well_in_the_console,
        test_machines.test_a_failure_says_what_failed,
    ],
)
def test_what_is_true_of_every_machine(check: Callable[[Machine], None], convert: Machine) -> None:
    check(convert)


# The functions


@pytest.mark.parametrize("folder", SEARCH_FOLDERS)
def test_what_is_true_of_every_function(each: Synthesis, folder: str) -> None:
    test_functions.test_a_function_is_told_exactly_what_its_handler_reads(each, folder)
    test_imports.test_a_function_carries_the_layers_whose_packages_it_imports(each, folder)
    properties, size = each.function(folder), getattr(each.stage.settings(Observability).search, folder)
    assert (properties["MemorySize"], properties["Timeout"]) == (size.memory_mb, size.timeout_seconds)


def test_what_the_functions_are_told(managed: Synthesis, searching: Callable[[str], Synthesis]) -> None:
    told = managed.function("load_search")["Environment"]["Variables"]
    assert (told["HOLD_MINUTES"], told["RETENTION_DAYS"], told["SEARCH_SERVICE"]) == ("44", "33", "aoss")
    assert text(told["SEARCH_URL"]).endswith(".CollectionEndpoint>")
    assert text(told["BOARDS_URL"]).endswith(".DashboardEndpoint>")
    told = searching("domain").function("load_search")["Environment"]["Variables"]
    assert (told["HOLD_MINUTES"], told["RETENTION_DAYS"], told["SEARCH_SERVICE"]) == ("0", "90", "es")
    assert (told["SEARCH_URL"], told["BOARDS_URL"]) == ("https://logs.example", "https://logs.example/_dashboards")
    told = searching("collection").function("install_search")["Environment"]["Variables"]
    assert (told["BOARDS_URL"], told["SEARCH_SERVICE"]) == ("https://boards.example/app", "aoss")


LAKE = {
    ("s3:GetObject", "lake/data/clean_parquet/PROFILING_LOG.parquet/*"),
    ("s3:GetObject", "lake/runs/search/pending/*"),
    ("s3:PutObject", "lake/runs/search/*"),
    ("s3:DeleteObject", "lake/runs/search/pending/*"),
    ("s3:ListBucket", "lake"),
}
DASHBOARDS = "arn:<AWS::Partition>:aoss:<AWS::Region>:<AWS::AccountId>:dashboards/default"


@pytest.mark.parametrize(
    ("name", "load", "install"),
    [
        (
            "managed",
            {("aoss:APIAccessAll", "the collection")},
            {("aoss:APIAccessAll", "the collection"), ("aoss:DashboardsAccessAll", DASHBOARDS)},
        ),
        (
            "collection",
            {("aoss:APIAccessAll", OTHERS)},
            {("aoss:APIAccessAll", OTHERS), ("aoss:DashboardsAccessAll", DASHBOARDS)},
        ),
        (
            "domain",
            {(f"es:ESHttp{verb}", f"{DOMAIN}/*") for verb in ("Get", "Post", "Delete")},
            {(f"es:ESHttp{verb}", f"{DOMAIN}/*") for verb in ("Get", "Put", "Post")},
        ),
    ],
)
def test_a_function_may_do_this_and_nothing_else(
    searching: Callable[[str], Synthesis], name: str, load: set[tuple[str, str]], install: set[tuple[str, str]]
) -> None:
    stage = searching(name)
    assert rights(stage, "event_files", "SearchLoadSearchRole") == EVERY_FUNCTION | LAKE | load
    assert rights(stage, "event_files", "SearchInstallSearchRole") == EVERY_FUNCTION | install


def test_profile_run_may_leave_its_marker(each: Synthesis) -> None:
    assert ("s3:PutObject", "lake/runs/search/pending/*") in rights(each, "event_files", "FunctionsProfileRunRole")
    assert each.function("profile_run")["Environment"]["Variables"]["SEARCHED"]


def test_roles_have_names_that_an_owner_can_let_in_before_they_exist(each: Synthesis) -> None:
    for folder in SEARCH_FOLDERS:
        role = each.event_files.properties("AWS::IAM::Role", f"Search{folder.title().replace('_', '')}")
        assert role["RoleName"] == f"sluice-{each.stage.name}-{folder.replace('_', '-')}"
        assert role["RoleName"] in each.function("install_search")["Environment"]["Variables"]["SEARCH_ROLES"]


def test_a_marker_outlasts_any_outage(managed: Synthesis) -> None:
    """Markers go with the files of runs."""
    rules = managed.lake.properties("AWS::S3::Bucket", "Bucket")["LifecycleConfiguration"]["Rules"]
    days = [rule["ExpirationInDays"] for rule in rules if "runs/search/pending/".startswith(rule.get("Prefix", "-"))]
    assert days == [90]


# The cluster


def test_the_collection_sleeps_keeps_ids_and_has_a_limit(managed: Synthesis) -> None:
    template = managed.event_files
    group = template.properties(f"{AOSS}CollectionGroup", "Search")
    assert group["Generation"] == "NEXTGEN"
    assert group["CapacityLimits"] == {
        "MinIndexingCapacityInOcu": 0,
        "MinSearchCapacityInOcu": 0,
        "MaxIndexingCapacityInOcu": 4,
        "MaxSearchCapacityInOcu": 4,
    }
    collection = template.named(f"{AOSS}Collection", "SearchClusterCollection")
    assert collection["Properties"]["Type"] == "SEARCH"
    assert collection["Properties"]["CollectionGroupName"] == group["Name"]
    policies = template.of_type(f"{AOSS}SecurityPolicy")
    assert set(collection["DependsOn"]) == {*policies, *template.of_type(f"{AOSS}CollectionGroup")}
    assert {policy["Properties"]["Type"] for policy in policies.values()} == {"encryption", "network"}


def test_only_named_roles_reach_the_documents(managed: Synthesis) -> None:
    template = managed.event_files
    rules = json.loads(text(template.properties(f"{AOSS}AccessPolicy", "Search")["Policy"]))
    permissions = {
        rule["Principal"][0]: {each for part in rule["Rules"] for each in part["Permission"]} for rule in rules
    }
    load, install = ("<SearchLoadSearchRole", "<SearchInstallSearchRole")
    (loads,) = [found for principal, found in permissions.items() if principal.startswith(load)]
    (installs,) = [found for principal, found in permissions.items() if principal.startswith(install)]
    assert "aoss:DeleteIndex" in loads
    assert "aoss:DeleteIndex" not in installs
    assert permissions[LEAD] == {"aoss:DescribeIndex", "aoss:ReadDocument", "aoss:DescribeCollectionItems"}
    assert len(rules) == 3
    for rule in rules:
        for part in rule["Rules"]:
            assert part["Resource"] in (["index/sluice-managed/*"], ["collection/sluice-managed"])


def test_a_cluster_of_another_owner_is_not_made(searching: Callable[[str], Synthesis]) -> None:
    for name in ("domain", "collection"):
        kinds = {resource["Type"] for _, resource in searching(name).resources()}
        assert not [kind for kind in kinds if kind.startswith((AOSS, "AWS::OpenSearch"))]


def test_templates_and_boards_are_installed_when_everything_is_there(each: Synthesis) -> None:
    installed = each.event_files.named("Custom::ProfilingSearch", "Search")
    token = text(installed["Properties"]["ServiceToken"])
    assert re.fullmatch(r"<SearchInstallSearchFunction\w{8}\.Arn>", token)
    indices = Indices(load_registry(), each.stage.name)
    assert installed["Properties"]["Content"] == fingerprint(indices, each.stage.name)
    needed = {name for kind in ("Collection", "AccessPolicy") for name in each.event_files.of_type(AOSS + kind)}
    assert needed <= set(installed["DependsOn"])
    assert any(name.startswith("SearchInstallSearchRoleDefaultPolicy") for name in installed["DependsOn"])
    assert {"SearchUrl", "SearchBoardsUrl"} <= each.event_files.body["Outputs"].keys()


@pytest.mark.parametrize("name", ["dev", "a", "a-name-of-thirty-characters-xx"])
def test_names_of_collections_are_short_enough_and_different(name: str) -> None:
    short = short_name(replace(stage_named("dev"), name=name))
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,27}", short)
    assert short != short_name(replace(stage_named("dev"), name=f"{name[:-1]}y"))


def test_what_is_not_loaded_raises_an_alarm_and_the_functions_are_observed(each: Synthesis) -> None:
    template = ObservabilityTemplate(each)
    alarm = template.alarms()["SearchIncomplete"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("SearchFailed", "Maximum", 0)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert "### SearchIncomplete" in (ROOT / "docs" / "runbook.md").read_text()
    assert "SearchLoadSearchLog" in json.dumps([query["LogGroupNames"] for query in template.queries().values()])


@pytest.mark.parametrize(
    ("url", "arn", "wrong"),
    [
        ("http://logs.example", DOMAIN, "must begin with https://"),
        ("https://logs.example/", DOMAIN, "must begin with https://"),
        ("https://logs.example", "arn:aws:s3:::logs", "must be the ARN of an OpenSearch domain"),
        ("https://logs.example", "logs", "must be the ARN of an OpenSearch domain"),
    ],
)
def test_a_cluster_is_named_rightly_or_refused(url: str, arn: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        ExistingCluster(url=url, arn=arn)


def test_every_stage_with_search_keeps_the_rules(each: Synthesis) -> None:
    report: dict[str, Any] = json.loads((each.folder / "validation-report.json").read_text())
    assert [found for plugin in report["pluginReports"] for found in plugin["violations"]] == []
