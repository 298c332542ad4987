"""What each role of a stage may do, word by word: of functions, machines, schedules and rules."""

from tests.platform.infra.granted_rights import (
    DELETE,
    LIST,
    READ,
    WRITE,
    Rights,
    catalog,
    commits,
    consumes,
    items,
    publishes,
    to,
)

CREATE = "s3:PutObject of what is not there"
RUN = "lake/runs/2*"
PULL = "lake/runs/pulls/*"
INFERENCE = "lake/runs/inferences/*"
LATEST = "lake/recommender/latest.json"

LETTERS = to("missed calls", "sqs:SendMessage")
SECRET = to("the vendor's secret", "secretsmanager:GetSecretValue")
TRACES = to("*", "xray:PutTraceSegments", "xray:PutTelemetryRecords")
EVERY_FUNCTION = TRACES | to("own log", "logs:CreateLogStream", "logs:PutLogEvents")
STEP = to(INFERENCE, READ, WRITE) | to("lake", LIST)
MODELS = to("lake/recommender/champion.json", READ) | to("lake/recommender/models/*", READ)
REGISTRAR = STEP | MODELS | to("lake/recommender/registry/mlflow.db", READ, WRITE)
EVERY_MACHINE = TRACES | to(
    "*",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
MAPS = {
    "convert": "ConvertTheBatches",
    "export": "CopyTheFiles",
    "history": "ObserveTheParts",
    "compact": "CompactTheGroups",
    "pull": "LoadTheParts",
}
KINDS = (*MAPS, "infer", "retrain")
# By stack and function; `flow/` is the folder of the stage's flow of the vendor.
FUNCTIONS: dict[str, dict[str, Rights]] = {
    "event_files": {
        "ValidateFiles": to("source/*", READ)
        | to("source", LIST)
        | to("lake/data/clean_json/*", CREATE)
        | to("lake/data/dirty_json/*", CREATE)
        | to("lake/data/unrelated_json/*", CREATE)
        | items("ledger", "source#*", "BatchGetItem", "PutItem")
        | items("ledger", "chunk#pending chunk#converted", "PutItem")
        | to("media index", "Query")
        | to("queue of files", "sqs:SendMessage")
        | consumes("queue of files"),
        "IndexMedia": to("media index", "UpdateItem") | to("media", LIST) | consumes("queue of media"),
        "PlanConversion": to(f"{RUN}/plan-*", WRITE)
        | items("ledger", "chunk#pending", "Query")
        | items("ledger", "run", "GetItem", "UpdateItem", "DeleteItem")
        | to("executions of convert", "states:DescribeExecution"),
        "ConvertBatch": to("lake/data/clean_json/*", READ)
        | to("lake/data/dirty_json/*", READ)
        | catalog("*", "GetTable")
        | to("lake/data/clean_parquet/*.parquet/metadata/*", READ)
        | to("lake/data/clean_parquet/*.parquet/year=*", WRITE)
        | to(f"{RUN}/receipts/*", READ, WRITE)
        | to(f"{RUN}/left_out/*", WRITE)
        | to(f"{RUN}/profile/*", WRITE)
        | to("lake", LIST),
        "CommitConversion": to(f"{RUN}/*", READ)
        | to(f"{RUN}/plan-*", WRITE)
        | to(f"{RUN}/commit.json", WRITE)
        | to("lake", LIST)
        | to("lake/data/clean_json/*", DELETE)
        | commits("*")
        | items("ledger", "chunk#pending", "Query", "UpdateItem", "DeleteItem")
        | items("ledger", "chunk#converted newest", "PutItem")
        | items("ledger", "run", "GetItem", "UpdateItem"),
        "ProfileRun": to(f"{RUN}/*", READ)
        | to("lake/data/clean_parquet/PROFILING_LOG.parquet/year=*", WRITE)
        | commits("PROFILING_LOG")
        | items("ledger", "run", "DeleteItem"),
        "SweepOrphans": to("lake", LIST)
        | to("lake/data/clean_json/*", DELETE)
        | to("lake/data/dirty_json/*", DELETE)
        | to("lake/data/unrelated_json/*", DELETE)
        | items("ledger", "chunk#pending chunk#converted", "BatchGetItem")
        | LETTERS,
        "ProbeLag": items("ledger", "chunk#pending newest", "Query") | LETTERS,
    },
    "vendor_exports": {
        "ClaimSlot": SECRET
        | items("slots", "environment", "GetItem", "UpdateItem")
        | to("executions of export", "states:DescribeExecution"),
        "TriggerJob": SECRET | items("slots", "environment", "UpdateItem"),
        "CheckJob": SECRET | items("slots", "environment", "GetItem", "UpdateItem"),
        "ListFiles": SECRET
        | items("slots", "environment", "GetItem")
        | to("flow/Hourly/*", READ)
        | to("flow/Hourly/*/_PresignedUrls.json", WRITE)
        | to("lake/runs/exports/*", READ)
        | to("lake/runs/exports/*/manifest.json", WRITE)
        | to("lake/runs/exports/*/plan-*", WRITE)
        | to("lake", LIST),
        "CopyFiles": SECRET
        | items("slots", "upload", "GetItem", "PutItem", "DeleteItem")
        | to("flow/Hourly/*", READ, WRITE, "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
        | to("lake/runs/exports/*/results/*", WRITE)
        | to("lake", LIST),
        "CheckDelivery": to("flow/Hourly/*", READ)
        | to("lake/runs/exports/*", READ)
        | to("lake", LIST)
        | items("slots", "environment", "UpdateItem"),
        "RecordResult": items("slots", "environment", "GetItem", "UpdateItem"),
        "UpdateHistory": to("lake", LIST)
        | to("flow/Hourly/*", READ)
        | to("lake/runs/history/*", READ)
        | to("flow/DataObservability/*", READ, WRITE)
        | publishes("HISTORICAL_JOB_METRICS")
        | publishes("HISTORICAL_TABLE_METRICS")
        | publishes("HISTORICAL_JOB_SIZE"),
        "PlanHistory": to("lake/runs/history/*/plan.json", WRITE),
        "ObserveHours": to("lake", LIST) | to("flow/Hourly/*", READ) | to("lake/runs/history/*/parts/*", WRITE),
    },
    "lake": {
        "PrepareTables": commits("*") | catalog("*", "CreateTable", "DeleteTable") | to("lake", LIST),
    },
    "tables": {
        "PlanCompaction": catalog("*", "GetTable", "GetTables")
        | to("lake/data/clean_parquet/*.parquet/metadata/*", READ)
        | to("lake/runs/compact-*/plan.json", WRITE)
        | to("lake", LIST),
        "CompactPartitions": commits("*") | to("lake/data/clean_parquet/*.parquet/year=*", WRITE) | to("lake", LIST),
        "TidyTables": commits("*")
        | catalog("*", "GetTables")
        | to("lake/data/clean_parquet/*.parquet/*", DELETE)
        | to("lake/runs/compact-*/plan.json", READ)
        | to("lake/runs/compact-*/commit.json", WRITE)
        | to("lake", LIST),
    },
    "api_pull": {
        "BeginPull": items("pulls", "pull", "GetItem", "UpdateItem")
        | to("executions of pull", "states:DescribeExecution"),
        "CheckSource": set(),
        "ExtractPages": to("lake/raw/*", READ, WRITE) | to(f"{PULL}/extract-*", READ, WRITE),
        "CheckRows": catalog("*", "GetTable")
        | to("lake/data/clean_parquet/*.parquet/metadata/*", READ)
        | to("lake/raw/*", READ)
        | to(PULL, READ, WRITE)
        | to("lake/data/api_pull/history.json", READ)
        | {
            right
            for table in ("TRACKS", "USERS", "LISTENS")
            for right in to(f"lake/data/clean_parquet/{table}.parquet/snapshot_date=*", READ, WRITE)
        }
        | to("lake/data/dirty_rows/*", WRITE)
        | to("lake", LIST),
        "KeepSnapshot": commits("TRACKS")
        | commits("USERS")
        | commits("LISTENS")
        | to(f"{PULL}/check-*", READ)
        | to(f"{PULL}/files.json", WRITE),
        "BeginLoad": to("mart", "dsql:DbConnect")
        | to(f"{PULL}/files.json", READ)
        | to(f"{PULL}/load.json", WRITE)
        | to(f"{PULL}/load-failure.json", WRITE)
        | to("lake", LIST),
        "LoadPart": to("mart", "dsql:DbConnect")
        | {
            right
            for table in ("TRACKS", "USERS", "LISTENS")
            for right in to(f"lake/data/clean_parquet/{table}.parquet/snapshot_date=*", READ)
        }
        | to(f"{PULL}/load-failure.json", WRITE),
        "PublishLoads": to("mart", "dsql:DbConnect") | to(f"{PULL}/load-failure.json", READ) | to("lake", LIST),
        "SweepLoads": to("mart", "dsql:DbConnect"),
        "RecordPull": items("pulls", "pull", "UpdateItem")
        | to(PULL, READ)
        | to(f"{PULL}/result.json", WRITE)
        | to("lake/data/api_pull/history.json", READ, WRITE)
        | to("lake", LIST),
    },
    "recommender": {
        "BeginInference": to("mart", "dsql:DbConnect") | STEP | MODELS | to(LATEST, READ),
        "ExtractMart": to("mart", "dsql:DbConnect") | STEP,
        "PrepareListens": STEP,
        "ProcessListens": STEP,
        "InferRecommendations": STEP | MODELS,
        "EvaluateModel": STEP | MODELS | to(LATEST, READ),
        "KeepRecommendations": STEP
        | commits("RECOMMENDATIONS")
        | commits("EVALUATIONS")
        | to("lake/data/clean_parquet/RECOMMENDATIONS.parquet/snapshot_date=*", WRITE)
        | to("lake/data/clean_parquet/EVALUATIONS.parquet/snapshot_date=*", WRITE),
        "LoadRecommendations": to("mart", "dsql:DbConnect") | STEP | to(LATEST, READ, WRITE),
        "RecordInference": STEP,
        "ServeRecommendations": to("mart", "dsql:DbConnect"),
        "BeginTraining": to("mart", "dsql:DbConnect")
        | STEP
        | MODELS
        | items("trainings", "training", "GetItem", "UpdateItem")
        | to("executions of retrain", "states:DescribeExecution"),
        "TrainModel": STEP | to("lake/recommender/models/*", READ, WRITE),
        "RegisterModel": REGISTRAR,
        "PromoteModel": REGISTRAR | to("lake/recommender/champion.json", WRITE),
        "RecordTraining": STEP
        | to("lake/recommender/models/*", READ, WRITE)
        | items("trainings", "training", "UpdateItem"),
    },
    "observability": {
        "RunHistoryRecordRun": consumes("queue of ends")
        | {
            (f"states:{action}", f"executions of {name}")
            for action in ("DescribeExecution", "GetExecutionHistory", "ListMapRuns")
            for name in KINDS
        }
        | {("states:DescribeExecution", f"children {label} of {name}") for name, label in MAPS.items()}
        | {
            (f"states:{action}", f"map runs {label} of {name}")
            for action in ("DescribeMapRun", "ListExecutions")
            for name, label in MAPS.items()
        }
        | {("states:ListExecutions", f"machine {name}") for name in KINDS}
        | to(f"{RUN}/commit.json", READ)
        | to("lake/data/run_records/*", READ, WRITE)
        | to("lake", LIST)
        | publishes("RUNS"),
        "DigestsSendDigest": to("lake", LIST)
        | to("flow/DataObservability/observations.parquet", READ)
        | to("lake/data/run_records/*", READ)
        | to("lake/runs/inferences/*/result.json", READ)
        | to("lake/recommender/champion.json", READ)
        | to("lake/data/reports/*", WRITE)
        | items("ledger", "newest", "Query")
        | to("topic", "sns:Publish")
        | LETTERS,
    },
}


def _machine(name: str, plans: str, *functions: str) -> Rights:
    """The rights of a machine: call its functions, read its plans, run its map, and know its own executions."""
    children = f"children {MAPS[name]} of {name}"
    return (
        {("lambda:InvokeFunction", function) for function in functions}
        | to(plans, READ)
        | to(f"machine {name}", "states:StartExecution")
        | to(f"executions of {name}", "states:DescribeExecution", "states:StopExecution")
        | to(children, "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution")
    )


CONVERSION = ("PlanConversion", "ConvertBatch", "CommitConversion", "ProfileRun")
DELIVERY = ("ClaimSlot", "TriggerJob", "CheckJob", "ListFiles", "CopyFiles", "CheckDelivery", "RecordResult")
COMPACTION = ("PlanCompaction", "CompactPartitions", "TidyTables")
PULLING = (
    "BeginPull",
    "CheckSource",
    "ExtractPages",
    "CheckRows",
    "KeepSnapshot",
    "RecordPull",
    "BeginLoad",
    "LoadPart",
    "PublishLoads",
    "SweepLoads",
)
INFERRING = (
    "BeginInference",
    "ExtractMart",
    "PrepareListens",
    "ProcessListens",
    "InferRecommendations",
    "EvaluateModel",
    "KeepRecommendations",
    "LoadRecommendations",
    "RecordInference",
)
RETRAINING = (
    "BeginTraining",
    *INFERRING[1:4],
    "TrainModel",
    "RegisterModel",
    "PromoteModel",
    "RecordTraining",
)
HISTORY = ("PlanHistory", "ObserveHours", "UpdateHistory")
MACHINES = {
    "event_files": {"Convert": _machine("convert", f"{RUN}/plan-*", *CONVERSION)},
    "vendor_exports": {
        "Export": _machine("export", "lake/runs/exports/*", *DELIVERY, "UpdateHistory"),
        "History": _machine("history", "lake/runs/history/*", *HISTORY),
    },
    "tables": {"Compact": _machine("compact", "lake/runs/compact-*", *COMPACTION)},
    "api_pull": {"PullMachine": _machine("pull", "lake/runs/pulls/*", *PULLING)},
    "recommender": {
        name: {("lambda:InvokeFunction", function) for function in functions}
        for name, functions in (("Infer", INFERRING), ("Retrain", RETRAINING))
    },
    "observability": {},
    "lake": {},
}
SCHEDULES = {
    "event_files": {
        "Conversions": to("machine convert", "states:StartExecution"),
        "Sweeps": to("SweepOrphans", "lambda:InvokeFunction"),
        "Probes": to("ProbeLag", "lambda:InvokeFunction"),
    },
    "vendor_exports": {"EachHour": to("machine export", "states:StartExecution")},
    "lake": {},
    "api_pull": {"EachDay": to("machine pull", "states:StartExecution")},
    "tables": {"Compactions": to("machine compact", "states:StartExecution")},
    "observability": {f"DigestsEach{period}": to("SendDigest", "lambda:InvokeFunction") for period in ("Day", "Week")},
}
RULES: dict[str, dict[str, Rights]] = {
    "recommender": {name: to("machine infer", "states:StartExecution") for name in ("AfterPulls", "AfterTrainings")}
}
