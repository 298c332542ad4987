"""The profiling search: a cluster, the function that loads the profiling log, and the installation of its boards."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import CustomResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchserverless as aoss
from constructs import Construct, IDependable

from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.observability.alarms import Advice, Alarms, Periods
from infra.platform.observability.cloudwatch import QUARTER, function_page, own
from infra.platform.observability.saved_queries import ERRORS
from infra.platform.observability.settings import ExistingCluster, Search
from infra.platform.stage_stack import Part, stage_of
from infra.stage import Stage
from sluice.contracts.load import load_registry
from sluice.contracts.model import PROFILING_LOG
from sluice.lake.object_store import table_prefix
from sluice.observability.metrics import PLATFORM, SEARCH_FAILED
from sluice.search.indices import Indices, fingerprint
from sluice.search.pending import PENDING_PREFIX, SEARCH_PREFIX

_NAME_LENGTH = 28  # of collections and of the policies over them


class ForeignCluster:
    """A cluster of another owner, who lets the roles of the functions in; the stage grants the rights of its side."""

    def __init__(self, cluster: ExistingCluster) -> None:
        self._arn = cluster.arn
        self.url = cluster.url
        self.boards_url = cluster.boards_url or f"{cluster.url}/_dashboards"
        self.service = cluster.service

    def admit(self, load: PythonFunction, install: PythonFunction) -> list[IDependable]:
        """Allow the functions their requests."""
        if self.service == "aoss":
            return _allow_collection(self._arn, load, install)
        domain = [f"{self._arn}/*"]
        paths = "A domain's rights go by path: indices are named by their month."
        load.allow(["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpDelete"], domain, paths)
        install.allow(["es:ESHttpGet", "es:ESHttpPut", "es:ESHttpPost"], domain, paths)
        return [load.role, install.role]


class Collection(Construct):
    """A serverless collection that sleeps, for nothing, from ten minutes after the last request on.

    Of type SEARCH: the others give documents ids of their own, and a log that is loaded twice would be there twice.
    Reached over the internet with signed requests of named roles only: a private one would ask for a network that
    nothing else here needs, with an endpoint that is paid for by the hour and no way in for people.
    """

    def __init__(self, scope: Construct, construct_id: str, settings: Search) -> None:
        super().__init__(scope, construct_id)
        stage = stage_of(self)
        self._name = short_name(stage)
        self._readers = settings.readers
        group = self._build_group(settings.collection_max_units)
        self._collection = aoss.CfnCollection(
            self,
            "Collection",
            name=self._name,
            description=f"Profiling log of {stage.stack_name}; can be loaded again from the table at any time",
            type="SEARCH",
            collection_group_name=group.name,
            standby_replicas=group.standby_replicas,
        )
        self._collection.add_resource_dependency(group)
        collection, dashboard = self._whole("collection"), self._whole("dashboard")
        self._build_policy("Encryption", {"Rules": [collection], "AWSOwnedKey": True})
        self._build_policy("Network", [{"Rules": [collection, dashboard], "AllowFromPublic": True}])
        self.url = self._collection.attr_collection_endpoint
        self.boards_url = self._collection.attr_dashboard_endpoint
        self.service = "aoss"

    def admit(self, load: PythonFunction, install: PythonFunction) -> list[IDependable]:
        """Allow the functions, and the roles of readers, what they need."""
        rights = _allow_collection(self._collection.attr_arn, load, install)
        rules = [
            self._rule([load.role.role_arn], index=_LOADS),
            self._rule([install.role.role_arn], index=_INSTALLS, collection=_INSTALLS_TEMPLATES),
        ]
        if self._readers:
            rules.append(self._rule(self._readers, index=_READS, collection=["aoss:DescribeCollectionItems"]))
        policy = aoss.CfnAccessPolicy(
            self, "Access", name=self._name, type="data", policy=Stack.of(self).to_json_string(rules)
        )
        return [self._collection, policy, *rights]

    def _rule(self, principals: Sequence[str], index: list[str], collection: Sequence[str] = ()) -> dict[str, Any]:
        rules = [{"ResourceType": "index", "Resource": [f"index/{self._name}/*"], "Permission": index}]
        if collection:
            of_collection = {"ResourceType": "collection", "Resource": [f"collection/{self._name}"]}
            rules.append({**of_collection, "Permission": list(collection)})
        return {"Rules": rules, "Principal": list(principals)}

    def _build_group(self, max_units: int) -> aoss.CfnCollectionGroup:
        return aoss.CfnCollectionGroup(
            self,
            "Group",
            name=self._name,
            generation="NEXTGEN",
            standby_replicas="ENABLED",
            capacity_limits=aoss.CfnCollectionGroup.CapacityLimitsProperty(
                min_indexing_capacity_in_ocu=0,
                min_search_capacity_in_ocu=0,
                max_indexing_capacity_in_ocu=max_units,
                max_search_capacity_in_ocu=max_units,
            ),
        )

    def _build_policy(self, construct_id: str, rules: object) -> None:
        policy = json.dumps(rules)
        built = aoss.CfnSecurityPolicy(self, construct_id, name=self._name, type=construct_id.lower(), policy=policy)
        self._collection.add_resource_dependency(built)

    def _whole(self, kind: str) -> dict[str, Any]:
        return {"ResourceType": kind, "Resource": [f"collection/{self._name}"]}


def short_name(stage: Stage) -> str:
    """Return the name of the stage's collection: a long one is cut and ends with a hash."""
    name = stage.resource_prefix
    if len(name) <= _NAME_LENGTH:
        return name
    return f"{name[: _NAME_LENGTH - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _allow_collection(arn: str, load: PythonFunction, install: PythonFunction) -> list[IDependable]:
    """Let the functions call a collection, whose data policy says what they may do there."""
    load.allow(["aoss:APIAccessAll"], [arn])
    install.allow(["aoss:APIAccessAll"], [arn])
    dashboards = Stack.of(install).format_arn(service="aoss", resource="dashboards", resource_name="default")
    install.allow(["aoss:DashboardsAccessAll"], [dashboards])
    return [load.role, install.role]


_LOADS = ["aoss:DescribeIndex", "aoss:CreateIndex", "aoss:DeleteIndex", "aoss:WriteDocument"]
_INSTALLS = [
    "aoss:DescribeIndex",
    "aoss:CreateIndex",
    "aoss:UpdateIndex",
    "aoss:ReadDocument",
    "aoss:WriteDocument",  # saved objects are documents of an index of the web application's
]
_INSTALLS_TEMPLATES = ["aoss:DescribeCollectionItems", "aoss:CreateCollectionItems", "aoss:UpdateCollectionItems"]
_READS = ["aoss:DescribeIndex", "aoss:ReadDocument"]


_BY_RUN = "Objects are named by their run; the folder is fixed."


class ProfilingSearch(Construct):
    """`load` is the last step of a conversion; installing belongs to the deployment."""

    def __init__(self, scope: Part, settings: Search, lake: LakePart) -> None:
        super().__init__(scope, "Search")
        self._stage = stage_of(self)
        self._settings = settings
        self.cluster = ForeignCluster(settings.cluster) if settings.cluster else Collection(self, "Cluster", settings)
        self._address = {
            "SEARCH_URL": self.cluster.url,
            "BOARDS_URL": self.cluster.boards_url,
            "SEARCH_SERVICE": self.cluster.service,
        }
        self.load = self._build_load(lake)
        self.install = self._build_install()
        self.functions = [self.load, self.install]
        for function in self.functions:
            # A name, so that the owner of a cluster can let the role in before it exists.
            role = cast("iam.CfnRole", function.role.node.default_child)
            role.role_name = _role_name(self._stage, function.folder)
        content = fingerprint(Indices(load_registry(), self._stage.name), self._stage.name)
        installed = CustomResource(
            self,
            "Installed",
            service_token=self.install.function.function_arn,
            resource_type="Custom::ProfilingSearch",
            properties={"Content": content, "Url": self.cluster.url, "BoardsUrl": self.cluster.boards_url},
        )
        installed.node.add_dependency(*self.cluster.admit(self.load, self.install))
        scope.publish(SearchUrl=self.cluster.url, SearchBoardsUrl=self.cluster.boards_url)

    def raise_alarm(self, alarms: Alarms) -> None:
        """Raise an alarm when the cluster does not hold every run."""
        incomplete = Advice(
            meaning="The search cluster did not take the profiling log of a run, or not all of it. The tables are "
            "whole, the next runs try again.",
            steps=(
                "Read the last lines of load_search: `error` is the cluster's answer, `refused` counts documents.",
                "Does the cluster answer, has it room, does it let the function's role in?",
                "Mended: it catches up by itself. Documents were refused? Load them again as the runbook says.",
            ),
            console=function_page(self.load),
            query=ERRORS,
        )
        failed = own(self._stage, SEARCH_FAILED, PLATFORM, "Maximum", QUARTER)
        # For an hour, in which the next runs try again.
        alarms.above("SearchIncomplete", failed, 0, incomplete, periods=Periods(1, 4))

    def _build_load(self, lake: LakePart) -> PythonFunction:
        function = PythonFunction(
            self,
            "load_search",
            "arrow",
            "search",
            pipeline=PLATFORM,
            purpose="Brings what is missing of the profiling log into the search cluster",
            size=self._settings.load_search,
            environment={
                **self._address,
                "LAKE_BUCKET": lake.bucket.bucket_name,
                "HOLD_MINUTES": str(self._settings.hold_minutes),
                "RETENTION_DAYS": str(self._settings.retention_days),
            },
        )
        log = f"{lake.bucket.bucket_arn}/{table_prefix(PROFILING_LOG.name)}*"
        function.allow(["s3:GetObject"], [log, f"{lake.bucket.bucket_arn}/{PENDING_PREFIX}*"], _BY_RUN)
        function.allow(["s3:PutObject"], [f"{lake.bucket.bucket_arn}/{SEARCH_PREFIX}*"], _BY_RUN)
        function.allow(["s3:DeleteObject"], [f"{lake.bucket.bucket_arn}/{PENDING_PREFIX}*"], _BY_RUN)
        function.allow_list(lake.bucket.bucket_arn)
        return function

    def _build_install(self) -> PythonFunction:
        roles = [_role_name(self._stage, folder) for folder in ("load_search", "install_search")]
        return PythonFunction(
            self,
            "install_search",
            "search",
            pipeline=PLATFORM,
            purpose="Installs index templates and boards in the search cluster",
            size=self._settings.install_search,
            environment={**self._address, "SEARCH_ROLES": " and ".join(roles)},
        )


def _role_name(stage: Stage, folder: str) -> str:
    return f"{stage.resource_prefix}-{folder.replace('_', '-')}"
