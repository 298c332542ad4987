"""The cluster of the profiling search: a serverless collection of the stage's own, or an existing cluster."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_opensearchserverless as aoss
from constructs import Construct, IDependable

from infra.platform.functions import PythonFunction
from infra.platform.observability.settings import ExistingCluster, Search
from infra.platform.stage_stack import stage_of
from infra.stage import Stage

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
            description=f"Profiling log of {stage.stack_prefix}; can be loaded again from the table at any time",
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


SearchCluster = ForeignCluster | Collection


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
