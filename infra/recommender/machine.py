"""The machine Infer: from what the mart shows to recommendations in lake and mart, in six steps."""

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.machine import Machine
from infra.platform.stage_stack import stage_of
from infra.recommender.functions import RecommenderFunctions
from infra.recommender.settings import Recommender
from sluice.recommender import run_summary as states
from sluice.recommender.inference import DONE, EMPTY, OVERTAKEN

INFERENCE = {"inference": sfn.JsonPath.object_at("$.inference")}


def extraction(
    machine: Machine, functions: RecommenderFunctions, failed: sfn.IChainable, following: sfn.IChainable
) -> sfn.IChainable:
    """Return the states that extract, prepare and process what the mart shows, of any machine that needs it."""
    extract = machine.call(states.EXTRACT, functions.extract_mart, INFERENCE, failed, "$.extracted")
    prepare = machine.call(states.PREPARE, functions.prepare_listens, INFERENCE, failed, "$.prepared")
    process = machine.call(states.PROCESS, functions.process_listens, INFERENCE, failed, "$.processed")
    question = sfn.Choice(machine, "Is it still shown?", comment="A pull may have come in between")
    question.when(_equals("$.extracted.decision", OVERTAKEN), sfn.Succeed(machine, "The mart shows another day by now"))
    question.otherwise(prepare.next(process).next(following))
    return extract.next(question)


class InferMachine(Machine):
    """Begin, Extract, Prepare, Process, Infer, Evaluate, Load, Record; nothing to do where it is done already."""

    def __init__(self, scope: Construct, functions: RecommenderFunctions) -> None:
        super().__init__(scope, states.INFER, functions.lake)
        failed = self.failure("Inference failed", "What was shown before is shown; the next one begins anew.")
        begin = self.call(states.BEGIN, functions.begin_inference, None, failed, result_path=None)
        question = sfn.Choice(self, "Is there anything to infer?", comment="A snapshot and a model without it")
        question.when(_equals("$.decision", EMPTY), sfn.Succeed(self, "The mart shows no listens yet"))
        question.when(_equals("$.decision", DONE), sfn.Succeed(self, "It is there already"))
        question.otherwise(extraction(self, functions, failed, self._build_inference(functions, failed)))
        comment = "Recommends tracks to all users, by what the mart shows and the model in production."
        minutes = stage_of(self).settings(Recommender).timeout_minutes
        self.build(begin.next(question), comment=comment, minutes=minutes)

    def _build_inference(self, functions: RecommenderFunctions, failed: sfn.IChainable) -> sfn.IChainable:
        infer = self.call(states.INFER_STATE, functions.infer_recommendations, INFERENCE, failed, "$.inferred")
        evaluate = self.call(states.EVALUATE, functions.evaluate_model, INFERENCE, failed, "$.evaluated")
        parts = {"parts": sfn.JsonPath.number_at("$.inferred.recommended_parts")}
        keep = self.call(states.KEEP, functions.keep_recommendations, {**INFERENCE, **parts}, failed, "$.kept")
        begun = sfn.Pass(
            self,
            "Begin to load",
            comment="From the first part on",
            result=sfn.Result.from_object({"turn": 0}),
            result_path="$.loaded",
        )
        turn = {
            "turn": sfn.JsonPath.number_at("$.loaded.turn"),
            "recommended_parts": sfn.JsonPath.number_at("$.inferred.recommended_parts"),
            "similar_parts": sfn.JsonPath.number_at("$.inferred.similar_parts"),
        }
        load = self.call(states.LOAD, functions.load_recommendations, {**INFERENCE, **turn}, failed, "$.loaded")
        record = self.call(states.RECORD, functions.record_inference, None, failed, "$.result")
        loaded = sfn.Choice(self, "Is all loaded?", comment="As much at a time as a call has time for")
        loaded.when(sfn.Condition.boolean_equals("$.loaded.is_over", value=False), load)
        later = sfn.Succeed(self, "A later one is shown already")
        loaded.when(sfn.Condition.boolean_equals("$.loaded.is_shown", value=False), later).otherwise(record)
        load.next(loaded)
        infer.next(evaluate).next(keep).next(begun).next(load)
        return infer


def _equals(path: str, value: str) -> sfn.Condition:
    return sfn.Condition.string_equals(path, value)
