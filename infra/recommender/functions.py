"""The functions of the recommender, each with exactly the rights it needs in lake and mart."""

from infra.platform.functions import PythonFunction
from infra.platform.machine import machine_arn
from infra.platform.mart import Mart
from infra.platform.pipeline_part import PipelineFunctions, PipelinePart
from infra.recommender.settings import Recommender
from sluice.lake.object_store import table_prefix
from sluice.recommender.champion import CHAMPION_KEY, MODELS_PREFIX
from sluice.recommender.inference import INFERENCES_PREFIX, LATEST_KEY
from sluice.recommender.lake_tables import TABLES
from sluice.recommender.mart.recommendations_postgres import RECOMMENDATIONS, SIMILAR, VIEWS, migrations
from sluice.recommender.training_summary import RETRAIN

ANY_OBJECT = "Objects are named by inferences, models and days; the folders are fixed."
SEEN = {"snapshots": ["SELECT"]}


class RecommenderFunctions(PipelineFunctions):
    """One attribute per folder of `functions/recommender/` that inference has."""

    def __init__(self, part: PipelinePart) -> None:
        self._settings = settings = part.stage.settings(Recommender)
        super().__init__(part, settings)
        self.mart = Mart.of(self)
        self.mart.add(migrations(), VIEWS)
        self._runs = f"{self._lake_arn}/{INFERENCES_PREFIX}*"
        self._models = [f"{self._lake_arn}/{CHAMPION_KEY}", f"{self._lake_arn}/{MODELS_PREFIX}*"]
        self._latest = f"{self._lake_arn}/{LATEST_KEY}"
        self._build_extraction()
        self._build_inference()
        self._build_keeping(part.stage.database)

    def build_step(self, folder: str, purpose: str, *layers: str, **environment: str) -> PythonFunction:
        """Build a function that reads objects of inferences and writes others."""
        # Else threads that have nothing to do spin for others that wait for the same core.
        threads = {"OMP_WAIT_POLICY": "PASSIVE"} if "science" in layers else {}
        built = self.build(folder, purpose, *layers, **self._in_lake, **threads, **environment)
        built.allow(["s3:GetObject", "s3:PutObject"], [self._runs], ANY_OBJECT)
        built.allow_list(self._lake_arn)
        return built

    def _build_extraction(self) -> None:
        purpose = "Finds what the mart shows, and the model in production"
        self.begin_inference = self.build_step("begin_inference", purpose, "postgres")
        self.begin_inference.allow(["s3:GetObject"], [*self._models, self._latest], ANY_OBJECT)
        self.mart.let(self.begin_inference, SEEN)
        purpose = "Reads users, tracks and listens from the mart, all of one moment"
        self.extract_mart = self.build_step("extract_mart", purpose, "postgres")
        self.mart.let(self.extract_mart, SEEN | {view: ["SELECT"] for view in ("users", "tracks", "listens")})

    def _build_inference(self) -> None:
        settings = self._settings
        purpose = "Joins what was extracted to pairs of users and tracks"
        self.prepare_listens = self.build_step("prepare_listens", purpose, "science")
        purpose = "Sets apart the pairs that no model may know"
        self.process_listens = self.build_step("process_listens", purpose, "science")
        purpose = "Recommends tracks to all users"
        self.infer_recommendations = self.build_step("infer_recommendations", purpose, "science")
        self.infer_recommendations.allow(["s3:GetObject"], self._models, ANY_OBJECT)
        self.evaluate_model = self.build_step(
            "evaluate_model",
            "Evaluates the model on pairs held out, and on what was heard since",
            "science",
            LEAST_NDCG=str(settings.least_ndcg),
            LEAST_OF_TRAINING=str(settings.least_of_training),
            MAX_MODEL_DAYS=str(settings.max_model_days),
        )
        self.evaluate_model.allow(["s3:GetObject"], [*self._models, self._latest], ANY_OBJECT)
        retrain_arn = machine_arn(self, RETRAIN) if settings.retrain else ""
        purpose = "Writes down what became of an inference"
        self.record_inference = self.build_step("record_inference", purpose, RETRAIN_MACHINE=retrain_arn)
        if retrain_arn:
            self.record_inference.allow(["states:StartExecution"], [retrain_arn])

    def _build_keeping(self, database: str) -> None:
        purpose = "Lets recommendations be those of their day in the lake"
        self.keep_recommendations = self.build_step(
            "keep_recommendations", purpose, "arrow", "tables", DATABASE=database
        )
        names = [table.name for table in TABLES]
        self.lake.catalog.let_commit(self.keep_recommendations, *names)
        folders = [f"{self._lake_arn}/{table_prefix(name)}snapshot_date=*" for name in names]
        self.keep_recommendations.allow(["s3:PutObject"], folders, ANY_OBJECT)
        purpose = "Loads recommendations into the mart, and shows them"
        self.load_recommendations = self.build_step("load_recommendations", purpose, "postgres")
        self.load_recommendations.allow(["s3:GetObject", "s3:PutObject"], [self._latest])
        rows = {table: ["SELECT", "INSERT", "UPDATE", "DELETE"] for table in (RECOMMENDATIONS, SIMILAR)}
        changed = ["SELECT", "INSERT", "UPDATE"]
        self.mart.let(self.load_recommendations, {"inferences": changed, "current_inference": changed, **rows})
