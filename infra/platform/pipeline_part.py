"""The part of a pipeline: its state, functions, machines and queues, and what observability shows of them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.machine import Machine
from infra.platform.observability.alarms import FOR_A_QUARTER, Alarms
from infra.platform.observability.saved_queries import ONE_RUN, Query
from infra.platform.observability.widgets import Panels
from infra.platform.stage_stack import Part, StateTable
from infra.platform.triggers import DeadLetters, QueuedEvents, Schedule
from sluice.observability.pipeline import Pipeline


class PipelinePart(Part):
    """A pipeline of a stage.

    Attributes:
        pipeline: What it registers; a class attribute of each subclass.
        saved_queries: Queries over its logs.
        run_objects: Keys, or patterns of keys, of objects in the lake that summaries of its runs are made from.
        functions: Its functions, each in a folder of `functions/`.
        machines: Its machines by the names of their kinds of runs.
        queues: Queues of its functions by what they are called on dashboards; `dead_letters` likewise.
        missed_calls: Calls of schedules that failed.
    """

    pipeline: ClassVar[Pipeline]
    saved_queries: ClassVar[Sequence[Query]] = ()
    run_objects: ClassVar[Sequence[str]] = ()

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        self.name = self.pipeline.name.title().replace("_", "")
        super().__init__(scope, self.name)
        self.lake = lake
        self.functions: list[PythonFunction] = []
        self.machines: dict[str, Machine] = {}
        self.missed_calls = DeadLetters(self, "MissedCalls")
        self.queues: dict[str, sqs.IQueue] = {}
        self.dead_letters: dict[str, sqs.IQueue] = {f"calls, {self.pipeline.title.lower()}": self.missed_calls}

    def state_table(self, construct_id: str, expiry: str | None = None) -> StateTable:
        """Build a table of the pipeline's state."""
        return StateTable(self, construct_id, expiry=expiry)

    def add_machine(self, machine: Machine) -> None:
        """Register the machine of a kind of runs; its output is how the command line finds it."""
        (registered,) = [each for each in self.pipeline.run_kinds if each.name == machine.kind]
        self.machines[machine.kind] = machine
        self.publish(**{registered.machine_output: machine.arn})

    def add_queue(self, name: str, queued: QueuedEvents) -> None:
        """Register a queue and its dead letters."""
        self.queues[name] = queued.queue
        self.dead_letters[name] = queued.dead_letters

    def schedule(
        self, name: str, expression: str | None, target: Machine | PythonFunction, description: str = ""
    ) -> None:
        """Have a machine started or a function called by a schedule; None: by hand only."""
        if isinstance(target, PythonFunction):
            target.keep_failed_calls(self.missed_calls)
            description = target.purpose
        if expression:
            Schedule(
                self,
                name,
                expression=expression,
                target=target,
                dead_letters=self.missed_calls,
                description=description,
            )

    def raise_alarms(self, alarms: Alarms) -> None:
        """Raise the pipeline's alarms: by default one per machine, on runs that failed."""
        for kind in self.pipeline.run_kinds:
            alarms.on_failed_runs(
                f"{kind.name.title().replace('_', '')}Failed",
                self.machines[kind.name],
                f"Of the {kind.title}, one failed, ran out of time or was aborted.",
                (
                    "Open the execution: which state, which cause? `sluice runs` lists them.",
                    "Repair the cause.",
                    "Start it again.",
                ),
                ONE_RUN,
                periods=FOR_A_QUARTER,
                heading="RunFailed",
            )

    def panels(self) -> Panels:
        """Return the pipeline's parts of the dashboards, besides those that all pipelines have."""
        return Panels()

    def digest_settings(self) -> Mapping[str, str]:
        """Return the settings of the pipeline's section of digests."""
        return {}

    def allow_digest(self, function: PythonFunction) -> None:
        """Let the digest's function read what the pipeline's section is made from."""


class PipelineFunctions(Construct):
    """The functions of a pipeline; subclasses build each one with exactly the rights it needs.

    `settings` has the size of each function in an attribute named like its folder.
    """

    def __init__(self, part: PipelinePart, settings: object) -> None:
        super().__init__(part, "Functions")
        self.lake = part.lake
        self._lake_arn = part.lake.bucket.bucket_arn
        self._in_lake = {"LAKE_BUCKET": part.lake.bucket.bucket_name}
        self._part = part
        self._sizes = settings

    def build(self, folder: str, purpose: str, *layers: str, **environment: str) -> PythonFunction:
        """Build the function of a folder; its environment variables are the keywords."""
        built = PythonFunction(
            self,
            folder,
            *layers,
            pipeline=self._part.pipeline.name,
            purpose=purpose,
            size=getattr(self._sizes, folder),
            environment=environment,
        )
        self._part.functions.append(built)
        return built
