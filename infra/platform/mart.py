"""The relational mart: an Aurora DSQL cluster, its tables and roles; stages where no pipeline uses it have none."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import jsii
from aws_cdk import CustomResource, IStableAnyProducer, Lazy, Stack
from aws_cdk import aws_dsql as dsql
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.platform.functions import PythonFunction, allow
from infra.platform.stage_stack import Part, removal_policy
from sluice.mart.model import READER, Migration
from sluice.observability.metrics import PLATFORM

Privileges = Mapping[str, Sequence[str]]
"""Statements that a role may run, by tables or views: `{"users": ["SELECT"]}`."""


class Mart(Part):
    """The cluster; a function that migrates it as its administrator; a role for people, who may read the views.

    Every function that uses it connects as a database role of its own, with a token of its IAM role.
    """

    def __init__(self, stack: Construct) -> None:
        super().__init__(stack, "Mart")
        self._migrations: list[Migration] = []
        self._roles: list[dict[str, Any]] = []
        self._readable: list[list[str]] = []
        if self.stage.local:  # whose cloud makes a cluster when its administrator comes
            self._environment = {"MART_ENDPOINT": f"{self.stage.name}.localhost"}
            self.cluster_arn = Stack.of(self).format_arn(
                service="dsql", resource="cluster", resource_name=self.stage.name
            )
        else:
            cluster = dsql.CfnCluster(self, "Cluster", deletion_protection_enabled=self.stage.keeps_data)
            cluster.apply_removal_policy(removal_policy(self.stage))
            self.cluster_arn = cluster.attr_resource_arn
            self._environment = {"MART_ENDPOINT": cluster.attr_endpoint}
            self.publish(MartEndpoint=cluster.attr_endpoint)
        self._build_reader()
        self.prepare_mart = self._build_preparation()

    @classmethod
    def of(cls, scope: Construct) -> "Mart":
        """Return the mart of a stack, which is made when it is first asked for."""
        stack = Stack.of(scope)
        return cls.existing(scope) or cls(stack)

    @staticmethod
    def existing(scope: Construct) -> "Mart | None":
        """Return the mart of a stack; None where no pipeline uses one."""
        return cast("Mart | None", Stack.of(scope).node.try_find_child("Mart"))

    def add(self, migrations: Sequence[Migration], readable: Sequence[str]) -> None:
        """Add a pipeline's migrations, and the views that people may read."""
        self._migrations += migrations
        self._readable += [["SELECT", view] for view in readable]

    def let(self, function: PythonFunction, privileges: Privileges) -> None:
        """Let a function connect, as the database role that is named like it, and do what the privileges say."""
        self._use(function)
        function.function.add_environment("MART_ROLE", function.folder)
        function.allow(["dsql:DbConnect"], [self.cluster_arn])
        granted = [[each, table] for table, names in privileges.items() for each in names]
        self._roles.append({"Name": function.folder, "Arn": function.role.role_arn, "Privileges": granted})

    def _use(self, function: PythonFunction) -> None:
        for name, value in self._environment.items():
            function.function.add_environment(name, value)

    def _build_reader(self) -> None:
        """Build the role of people: whom the account lets assume it."""
        role = iam.Role(
            self,
            "Reader",
            description=f"Reads the views of the mart, stage {self.stage.name}",
            assumed_by=iam.AccountRootPrincipal(),
        )
        allow(role, ["dsql:DbConnect"], [self.cluster_arn])
        self._roles.append({"Name": READER, "Arn": role.role_arn, "Privileges": self._readable})
        self.publish(MartReaderRole=role.role_arn)

    def _build_preparation(self) -> PythonFunction:
        function = PythonFunction(
            self,
            "prepare_mart",
            "postgres",
            pipeline=PLATFORM,
            purpose="Migrates the mart, and gives database roles what they may do",
            size=self.stage.prepare_mart,
            environment={},
        )
        self._use(function)
        function.allow(["dsql:DbConnectAdmin"], [self.cluster_arn])
        tables = CustomResource(
            self,
            "Tables",
            service_token=function.arn,
            resource_type="Custom::Mart",
            properties={
                "Migrations": _later(lambda: [{"Name": each.name, "Sql": each.sql} for each in self._migrations]),
                "Roles": _later(lambda: self._roles),
            },
        )
        tables.node.add_dependency(function.role)
        return function


@jsii.implements(IStableAnyProducer)
class _Produced:
    def __init__(self, value: Callable[[], Any]) -> None:
        self._value = value

    def produce(self) -> Any:  # noqa: ANN401 - what a template may hold
        return self._value()


def _later(value: Callable[[], Any]) -> Any:  # noqa: ANN401 - a token
    """Return what stands for a value until all pipelines are there."""
    return Lazy.any(_Produced(value))
