"""A Spark session whose catalog is a local cloud's Glue and S3, with Iceberg's own library."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.platform.local_cloud import LocalCloud
from tests.referees.spark.engine import parts

_CATALOG = "lake"


class SparkError(Exception):
    """Spark refuses or fails a statement."""


@dataclass(frozen=True, slots=True)
class Spark:
    """A session that runs; its catalog is called `lake`, and `database` has the tables."""

    database: str
    process: "subprocess.Popen[str]"
    log: Path

    def query(self, sql: str) -> list[list[Any]]:
        """Return the rows of a statement, as JSON has their values: structs are lists, times are texts."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(sql)}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                if "error" in answer:
                    raise SparkError(f"{answer['error']}\n{sql}")
                rows: list[list[Any]] = answer["rows"]
                return rows
        raise SparkError(f"Spark has ended:\n{self.log.read_text()[-3000:]}")


@contextmanager
def running(cloud: LocalCloud, database: str, folder: Path) -> Iterator[Spark]:
    """Run a session that keeps its files in a folder; it has ended afterwards."""
    java, python, jars = parts()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "JAVA_HOME": str(java.parents[1]),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "AWS_REGION": cloud.client_environment["AWS_REGION"],
        "AWS_ACCESS_KEY_ID": cloud.access_key_id,
        "AWS_SECRET_ACCESS_KEY": cloud.secret_access_key,
        "TZ": "Asia/Kolkata",  # no time of a column may depend on where the reader is
    }
    command: list[str | Path] = [
        python / "python",
        Path(__file__).with_name("answers.py"),
        json.dumps(_settings(cloud, jars, folder)),
    ]
    log = folder / "spark.log"
    with log.open("w") as lines:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stderr=lines, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    with process:
        yield Spark(database, process, log)


def _settings(cloud: LocalCloud, jars: Path, folder: Path) -> dict[str, str]:
    catalog = f"spark.sql.catalog.{_CATALOG}"
    return {
        "spark.jars": ",".join(map(str, sorted(jars.glob("*.jar")))),
        "spark.driver.memory": "1500m",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "glue",
        f"{catalog}.cache-enabled": "false",  # what others commit is seen at once, not after half a minute
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.glue.endpoint": cloud.endpoint,
        f"{catalog}.s3.endpoint": cloud.endpoint,
        f"{catalog}.s3.path-style-access": "true",
    }
