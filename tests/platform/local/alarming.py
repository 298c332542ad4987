"""The alarms of a stage with schedules, over what the deployed local cloud measures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from aws_cdk import App

from app import add_stacks
from cli.platform.local_cloud import REGION
from infra.stage import Stage
from tests.platform.local.timeline import Sample, Timeline, moments
from tests.support.cloudwatch.collection import Collector
from tests.support.cloudwatch.definitions import Alarms, read_alarms
from tests.support.cloudwatch.evaluation import ALARM, evaluate
from tests.support.cloudwatch.intrinsics import UnresolvedError
from tests.support.cloudwatch.local import ACCOUNT, resources_of
from tests.support.cloudwatch.resources import QUEUE, Resource, resolver_of
from tests.support.cloudwatch.series import Metric, Point
from tests.support.deployed_cloud import Cloud
from tests.support.synthesis import settings

STEP = timedelta(minutes=2)


@dataclass(frozen=True)
class Watched:
    """The local cloud, whose points are taken for those of a stage with schedules."""

    cloud: Cloud

    @cached_property
    def stacks(self) -> dict[str, list[Resource]]:
        """What is deployed, by stack."""
        deployment = self.cloud.deployment
        return {stack: resources_of(deployment, stack) for stack in deployment.stacks}

    @property
    def resources(self) -> list[Resource]:
        """All that is measured."""
        return [resource for resources in self.stacks.values() for resource in resources]

    def physical(self, kind: str, start: str) -> str:
        """The physical id of the one resource of a kind whose logical id begins so."""
        (found,) = [r.physical_id for r in self.resources if r.kind == kind and r.logical_id.startswith(start)]
        return found

    def empty_queues(self) -> None:
        """Forget what other tests left in queues."""
        for resource in self.resources:
            if resource.kind == QUEUE:
                self.cloud.deployment.sqs.purge_queue(QueueUrl=resource.physical_id)

    def measure(self, action: Callable[[], object]) -> Sample:
        """Do something, and return what was measured of it, as that of the other stage."""
        begun = datetime.now(UTC)
        action()
        time.sleep(1)  # what a call says is in the log when it has ended
        found = Collector(self.cloud.deployment, begun).collect(self.resources)
        begin = begun.timestamp()
        return Sample(
            tuple(
                (_of_int(metric), Point(max(0.0, point.at - begin), point.value))
                for metric, point in found
                if point.at >= begin or metric.namespace == "AWS/SQS"
            )
        )

    def alarms_of(self, stage: Stage, folder: Path) -> Alarms:
        """The alarms of a stage, on the resources of the local one: logical ids are the same in all."""
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:  # the CDK's Node process ends with it
            bodies = apart.submit(synthesise, stage, folder).result()
        exports: dict[str, str] = {}
        for stack, body in bodies.items():
            exports |= dict(self._exported(_local(stack), body))
        watch = f"{stage.stack_prefix}-Watch"
        return read_alarms(watch, bodies[watch], resolver_of(self.stacks[_local(watch)], exports, REGION, ACCOUNT))

    def _exported(self, stack: str, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
        resolver = resolver_of(self.stacks[stack], {}, REGION, ACCOUNT)
        for output in body.get("Outputs", {}).values():
            if "Export" in output:
                try:
                    yield output["Export"]["Name"], str(resolver.resolve(output["Value"]))
                except UnresolvedError:
                    continue  # nothing that is measured


def synthesise(stage: Stage, folder: Path) -> dict[str, dict[str, Any]]:
    """The templates of a stage, by stack."""
    app = App(context=settings(), outdir=str(folder))
    add_stacks(app, stage)
    app.synth()
    suffix = ".template.json"
    return {path.name.removesuffix(suffix): json.loads(path.read_text()) for path in folder.glob(f"Sluice-*{suffix}")}


@dataclass(frozen=True)
class Rung:
    """Which alarms were on at any time, and the states at the end, by logical id of the construct."""

    ever: set[str]
    last: dict[str, str]


def ring(alarms: Alarms, timeline: Timeline, start: datetime, end: datetime) -> Rung:
    """Look at all alarms every other minute: windows slide, and no period is shorter than five."""
    series = timeline.series()
    names = {name: short(logical_id) for name, logical_id in alarms.logical_ids.items()}
    states: dict[str, str] = {}
    ever: set[str] = set()
    for now in moments(start, end + STEP, STEP):
        states = {found.name: found.state for found in evaluate(alarms, series, now, states)}
        ever |= {name for name, state in states.items() if state == ALARM}
    return Rung({names[name] for name in ever}, {names[name]: state for name, state in states.items()})


def short(logical_id: str) -> str:
    """An alarm's construct, by the logical id that CDK makes of its path: without the hash, and its scope."""
    return logical_id[:-8]


def _of_int(metric: Metric) -> Metric:
    """The metric as the other stage has it: few physical names have the stage in them."""
    dimensions = {
        name: "int" if (name, value) == ("stage", "local") else value.replace(":sluice-local-", ":sluice-int-")
        for name, value in metric.dimensions
    }
    return Metric.of(metric.namespace, metric.name, dimensions)


def _local(stack: str) -> str:
    return f"Sluice-local-{stack.rpartition('-')[2]}"
