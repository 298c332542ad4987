"""Retrain: its functions with their rights, its machine, and the MLflow App of stages that have one."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.functions import PythonFunction, allow
from infra.platform.machine import NAMED_LATER, Machine
from infra.platform.stage_stack import StateTable, on_our_behalf, stage_of
from infra.recommender.functions import ANY_OBJECT, SEEN, RecommenderFunctions
from infra.recommender.machine import INFERENCE, extraction
from infra.recommender.settings import Recommender
from sluice.recommender import run_summary as shared
from sluice.recommender import training_summary as states
from sluice.recommender.champion import CHAMPION_KEY, MODELS_PREFIX, REGISTRY_KEY
from sluice.recommender.inference import EMPTY
from sluice.recommender.trainings import BUSY

_APP_ARTIFACTS = "recommender/mlflow/"


class TrainingFunctions(Construct):
    """The functions that only Retrain has, and the registry of models."""

    def __init__(self, steps: RecommenderFunctions, trainings: StateTable) -> None:
        super().__init__(steps, "Training")
        self._lake_arn = steps.lake.bucket.bucket_arn
        self._models = f"{self._lake_arn}/{MODELS_PREFIX}*"
        self._champion = f"{self._lake_arn}/{CHAMPION_KEY}"
        in_trainings = {"TRAININGS_TABLE": trainings.table_name}
        purpose = "Takes the lease of the trainings, and finds what the mart shows"
        self.begin_training = steps.build_step("begin_training", purpose, "postgres", **in_trainings)
        self.begin_training.allow(["s3:GetObject"], [self._champion, self._models], ANY_OBJECT)
        self.begin_training.allow_items(trainings.table_arn, ["GetItem", "UpdateItem"], ["training"])
        steps.mart.let(self.begin_training, SEEN)
        purpose = "Trains a candidate, and compares it with the champion"
        self.train_model = steps.build_step("train_model", purpose, "science")
        self.train_model.allow(["s3:GetObject", "s3:PutObject"], [self._models], ANY_OBJECT)
        self.app_arn = self._build_app(steps) if stage_of(self).settings(Recommender).mlflow_app else ""
        purpose = "Registers models in MLflow"
        self.register_model = self._build_registrar(steps, "register_model", purpose)
        purpose = "Puts a candidate into production that is better beyond noise"
        self.promote_model = self._build_registrar(steps, "promote_model", purpose)
        self.promote_model.allow(["s3:PutObject"], [self._champion])
        purpose = "Records what became of a training, and frees the lease"
        self.record_training = steps.build_step("record_training", purpose, **in_trainings)
        self.record_training.allow(["s3:GetObject", "s3:PutObject"], [self._models], ANY_OBJECT)
        self.record_training.allow_items(trainings.table_arn, ["UpdateItem"], ["training"])

    def _build_registrar(self, steps: RecommenderFunctions, folder: str, purpose: str) -> PythonFunction:
        """Build a function that changes the registry; MLflow is a layer of these alone."""
        built = steps.build_step(folder, purpose, "mlflow", MLFLOW_APP=self.app_arn)
        built.allow(["s3:GetObject"], [self._champion, self._models], ANY_OBJECT)
        built.allow(["s3:GetObject", "s3:PutObject"], [f"{self._lake_arn}/{REGISTRY_KEY}"])
        if self.app_arn:
            built.allow(["sagemaker:CallMlflowAppApi"], [self.app_arn])
        return built

    def _build_app(self, steps: RecommenderFunctions) -> str:
        """Build the MLflow App, which keeps what runs leave in the lake, and return its ARN."""
        role = iam.Role(
            self,
            "MlflowRole",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com", conditions=on_our_behalf(self, "*")),
        )
        artifacts = f"{self._lake_arn}/{_APP_ARTIFACTS}*"
        allow(role, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [artifacts], "Objects are named by runs.")
        allow(role, ["s3:ListBucket"], [self._lake_arn])
        app = sagemaker.CfnMlflowApp(
            self,
            "MlflowApp",
            name=stage_of(self).resource_prefix,
            artifact_store_uri=f"s3://{steps.lake.bucket.bucket_name}/{_APP_ARTIFACTS}",
            role_arn=role.role_arn,
            model_registration_mode="AutoModelRegistrationDisabled",
        )
        app.node.add_dependency(role)
        return app.attr_arn


class RetrainMachine(Machine):
    """Begin, Extract, Prepare, Process, Train, Register, Promote, Record."""

    def __init__(self, scope: Construct, steps: RecommenderFunctions, functions: TrainingFunctions) -> None:
        super().__init__(scope, states.RETRAIN, steps.lake)
        functions.begin_training.allow(["states:DescribeExecution"], [self.executions_arn], NAMED_LATER)
        failed = self.failure("Training failed", "The champion stays; the next training takes the lease over.")
        asked = {
            "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
            "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
            "input": sfn.JsonPath.object_at("$$.Execution.Input"),
        }
        begin = self.call(shared.BEGIN, functions.begin_training, asked, failed, result_path=None)
        training = {"training": sfn.JsonPath.object_at("$.training")}
        train = self.call(states.TRAIN_STATE, functions.train_model, {**training, **INFERENCE}, failed, "$.candidate")
        register = self.call(states.REGISTER, functions.register_model, {}, failed)
        promote = self.call(states.PROMOTE, functions.promote_model, training, failed, "$.promotion")
        record = self.call(shared.RECORD, functions.record_training, None, failed, "$.result")
        train.next(register).next(promote).next(record)
        question = sfn.Choice(self, "May it begin?", comment="One training works at a time")
        decision = "$.decision"
        question.when(sfn.Condition.string_equals(decision, BUSY), sfn.Succeed(self, "Another training is at work"))
        question.when(sfn.Condition.string_equals(decision, EMPTY), sfn.Succeed(self, "The mart shows no listens yet"))
        question.otherwise(extraction(self, steps, failed, train))
        comment = "Trains a candidate with what the mart shows, and promotes it if it is better beyond noise."
        minutes = stage_of(self).settings(Recommender).timeout_minutes
        self.build(begin.next(question), comment=comment, minutes=minutes)
