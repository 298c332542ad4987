"""The recommender: after every pull, recommendations for all users in lake and mart."""

from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.machine import machine_arn
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.widgets import Panels
from infra.platform.pipeline_part import PipelinePart
from infra.platform.triggers import AfterRuns
from infra.recommender.functions import ANY_OBJECT, RecommenderFunctions
from infra.recommender.machine import InferMachine
from infra.recommender.observability import SAVED_QUERIES, panels, raise_alarms
from infra.recommender.retrain import RetrainMachine, TrainingFunctions
from infra.recommender.service import Service
from sluice.recommender.champion import CHAMPION_KEY
from sluice.recommender.inference import INFERENCES_PREFIX
from sluice.recommender.lake_tables import TABLES
from sluice.recommender.pipeline import PIPELINE

_PULL = "pull"  # the kind of runs that fill the mart


class RecommenderPart(PipelinePart):
    """Pull ends → Infer machine → tables RECOMMENDATIONS and EVALUATIONS, and the mart; Retrain machine → champion."""

    pipeline = PIPELINE
    saved_queries = SAVED_QUERIES

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        super().__init__(scope, lake=lake)
        for table in TABLES:
            lake.catalog.add(self, table)
        self._pulls_arn = machine_arn(self, _PULL)
        self.steps = RecommenderFunctions(self)
        self.infer = InferMachine(self, self.steps)
        self.add_machine(self.infer)
        self.service = Service(self.steps)
        self.publish(ServiceUrl=self.service.url)
        training = TrainingFunctions(self.steps, self.state_table("Trainings"))
        self.retrain = RetrainMachine(self, self.steps, training)
        self.add_machine(self.retrain)
        if training.app_arn:
            self.publish(MlflowApp=training.app_arn)
        for name, machine in (("AfterPulls", self._pulls_arn), ("AfterTrainings", self.retrain.arn)):
            AfterRuns(self, name, machine=machine, target=self.infer, dead_letters=self.missed_calls)

    def raise_alarms(self, alarms: Alarms) -> None:
        """Raise alarms on what is late, fails, or got worse."""
        raise_alarms(alarms, self.machines, self._pulls_arn, self.missed_calls, self.service)

    def panels(self) -> Panels:
        """Return how good recommendations are, how many there are, and how the service answers."""
        return panels(self.stage, self.functions, self.service)

    def allow_digest(self, function: PythonFunction) -> None:
        """Let the digest's function read what became of inferences, and which model is in production."""
        results = f"{self.lake.bucket.bucket_arn}/{INFERENCES_PREFIX}*/result.json"
        function.allow(["s3:GetObject"], [results], ANY_OBJECT)
        function.allow(["s3:GetObject"], [f"{self.lake.bucket.bucket_arn}/{CHAMPION_KEY}"])
