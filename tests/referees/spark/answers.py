"""Answers SQL in Spark, in a process and a Python of its own: a JSON document a line in, one a line out."""

import datetime as dt
import json
import math
import sys

from pyspark.sql import Row, SparkSession  # type: ignore[import-not-found,unused-ignore] # in its own environment


def main(settings: dict[str, str]) -> None:
    """Answer until there are no more questions."""
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for line in sys.stdin:
        try:
            found = spark.sql(json.loads(line))
            answer = {"columns": found.columns, "rows": [[plain(value) for value in row] for row in found.collect()]}
        except Exception as error:  # noqa: BLE001 # whoever asked is told
            answer = {"error": str(error)[:2000]}
        sys.stdout.write(f"answer {json.dumps(answer)}\n")
        sys.stdout.flush()


def plain(value: object) -> object:
    """Return a value as JSON: rows as lists, times as texts."""
    if isinstance(value, Row | list):
        return [plain(each) for each in value]
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
