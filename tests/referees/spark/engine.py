"""What a Spark session is made of: pyspark from PyPI, Iceberg's jars for it from Maven Central, and Java 17."""

from pathlib import Path

from tests.referees.fetching import Referee, environment, jars, java

_VERSION = "4.1.4"
_ICEBERG = "1.12.0"


def parts() -> tuple[Path, Path, Path]:
    """Return a Java that runs it, the `bin` of its Python, and the jars of Iceberg."""
    runtime = f"iceberg-spark-runtime-{_VERSION.rpartition('.')[0]}_2.13"
    wanted = (f"org.apache.iceberg:{each}:{_ICEBERG}" for each in (runtime, "iceberg-aws-bundle"))
    return (
        java(17),
        environment(f"spark-{_VERSION}", f"pyspark=={_VERSION}"),
        jars(f"spark-iceberg-{_ICEBERG}", *wanted),
    )


SPARK = Referee("Spark", f"{_VERSION}, Iceberg {_ICEBERG}", parts)
