"""A Spark session, and a conversion per line of standard input.

It may use two cores, where others have one, and is told the schema. Apart from that it is as it comes.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import SparkSession  # type: ignore[import-not-found]

_HOURS = {
    "year": "CAST(substr(date_time, 1, 4) AS INT)",
    "month": "CAST(substr(date_time, 6, 2) AS INT)",
    "day": "CAST(substr(date_time, 9, 2) AS INT)",
    "hour": "CAST(substr(date_time, 12, 2) AS INT)",
}


def main() -> None:
    """Say that it is ready, then convert what each line asks for, and answer with the JVM's peak in MB each time."""
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "2g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.hadoop.parquet.compression.codec.zstd.level", "1")
        .getOrCreate()
    )
    _answer(session)
    for line in sys.stdin:
        _convert(session, **json.loads(line))
        _answer(session)
    session.stop()


def _convert(session: SparkSession, source: str, target: str, schema: str, columns: Mapping[str, str]) -> None:
    rows = session.read.schema(schema).option("recursiveFileLookup", "true").json(source)
    rows = rows.selectExpr(*(f"{member} AS {name}" for name, member in columns.items()))
    rows = rows.selectExpr("*", *(f"{value} AS {name}" for name, value in _HOURS.items()))
    rows.write.partitionBy(*_HOURS).option("compression", "zstd").parquet(target, mode="append")


def _answer(session: SparkSession) -> None:
    """The peak is that of the JVM, where all of the work is done."""
    jvm = session.sparkContext._jvm.java.lang.ProcessHandle.current().pid()
    status = Path(f"/proc/{jvm}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    sys.stdout.write(f"{int(peak[1]) / 1024 if peak else 0}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
