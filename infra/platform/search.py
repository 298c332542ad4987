"""The profiling search: a cluster, the function that loads the profiling log, and the installation of its boards."""

from collections.abc import Iterator
from typing import cast

from aws_cdk import CustomResource
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_stack import LakeStack
from infra.platform.observability.alarms import Advice, Alarms, Periods
from infra.platform.observability.cloudwatch import QUARTER, function_page, own
from infra.platform.observability.saved_queries import ERRORS
from infra.platform.observability.settings import Observability
from infra.platform.search_cluster import Collection, ForeignCluster, SearchCluster
from infra.platform.stage_stack import StageStack, stage_of
from infra.stage import Stage
from sluice.contracts.load import load_registry
from sluice.contracts.model import PROFILING_LOG
from sluice.lake.keys import table_prefix
from sluice.observability.metrics import PLATFORM, SEARCH_FAILED
from sluice.search.indices import Indices
from sluice.search.install import fingerprint
from sluice.search.pending import PENDING_PREFIX, SEARCH_PREFIX

FOLDERS = ("load_search", "install_search")
_BY_RUN = "Objects are named by their run; the folder is fixed."


class ProfilingSearch(Construct):
    """`load` is the last step of a conversion; installing belongs to the deployment."""

    def __init__(self, scope: StageStack, construct_id: str, lake: LakeStack) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage_of(self)
        settings = self._stage.settings(Observability).search
        if not settings:
            raise ValueError(f"stage {self._stage.name} has no search")
        self._settings = settings
        self.cluster = self._build_cluster()
        self.load = self._build_load(lake)
        self.install = self._build_install()
        for function in self:
            # A name, so that the owner of a cluster can let the role in before it exists.
            role = cast("iam.CfnRole", function.role.node.default_child)
            role.role_name = _role_name(self._stage, function.folder)
        self._install(self.cluster)
        scope.publish(SearchUrl=self.cluster.url, SearchBoardsUrl=self.cluster.boards_url)

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        yield from (self.load, self.install)

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

    def _build_cluster(self) -> SearchCluster:
        if self._settings.cluster:
            return ForeignCluster(self._settings.cluster)
        return Collection(self, "Cluster", self._settings)

    def _build_load(self, lake: LakeStack) -> PythonFunction:
        function = PythonFunction(
            self,
            "load_search",
            "arrow",
            "search",
            pipeline=PLATFORM,
            purpose="Brings what is missing of the profiling log into the search cluster",
            size=self._settings.load_search,
            environment={
                **self._address(),
                "LAKE_BUCKET": lake.bucket.bucket_name,
                "HOLD_MINUTES": str(self._settings.hold_minutes),
                "RETENTION_DAYS": str(self._settings.retention_days),
            },
        )
        log = f"{lake.bucket_arn}/{table_prefix(PROFILING_LOG.name)}*"
        function.allow(["s3:GetObject"], [log, f"{lake.bucket_arn}/{PENDING_PREFIX}*"], _BY_RUN)
        function.allow(["s3:PutObject"], [f"{lake.bucket_arn}/{SEARCH_PREFIX}*"], _BY_RUN)
        function.allow(["s3:DeleteObject"], [f"{lake.bucket_arn}/{PENDING_PREFIX}*"], _BY_RUN)
        function.allow_list(lake.bucket_arn)
        return function

    def _build_install(self) -> PythonFunction:
        return PythonFunction(
            self,
            "install_search",
            "search",
            pipeline=PLATFORM,
            purpose="Installs index templates and boards in the search cluster",
            size=self._settings.install_search,
            environment={
                **self._address(),
                "SEARCH_ROLES": " and ".join(_role_name(self._stage, folder) for folder in FOLDERS),
            },
        )

    def _address(self) -> dict[str, str]:
        cluster = self.cluster
        return {"SEARCH_URL": cluster.url, "BOARDS_URL": cluster.boards_url, "SEARCH_SERVICE": cluster.service}

    def _install(self, cluster: SearchCluster) -> None:
        content = fingerprint(Indices(load_registry(), self._stage.name), self._stage.name)
        installed = CustomResource(
            self,
            "Installed",
            service_token=self.install.function.function_arn,
            resource_type="Custom::ProfilingSearch",
            properties={"Content": content, "Url": cluster.url, "BoardsUrl": cluster.boards_url},
        )
        installed.node.add_dependency(*cluster.admit(self.load, self.install))


def _role_name(stage: Stage, folder: str) -> str:
    return f"{stage.resource_prefix}-{folder.replace('_', '-')}"
