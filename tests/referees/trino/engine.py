"""What a Trino server is made of: jars from Maven Central, and Java 25."""

from pathlib import Path
from zipfile import ZipFile

from tests.referees.fetching import Referee, jars, java

_VERSION = "483"
_PLUGIN = "io.trino.plugin.iceberg.IcebergPlugin"


def parts() -> tuple[Path, Path, Path]:
    """Return a Java that runs it, the jars of the engine, and those of its Iceberg connector."""
    rules = f"io.trino:trino-root:{_VERSION}"
    engine = jars(f"trino-{_VERSION}", f"io.trino:trino-main:{_VERSION}", managed_by=rules)
    connector = jars(f"trino-iceberg-{_VERSION}", f"io.trino:trino-iceberg:{_VERSION}", managed_by=rules)
    service = connector / "service.jar"  # the name of the plugin, which Trino's own package has
    if not service.exists():
        with ZipFile(service, "w") as jar:
            jar.writestr("META-INF/services/io.trino.spi.Plugin", _PLUGIN)
    return java(25), engine, connector


TRINO = Referee("Trino", _VERSION, parts)
