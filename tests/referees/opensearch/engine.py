"""What a node of OpenSearch is made of: jars from Maven Central, and Java 17."""

from pathlib import Path

from tests.referees.fetching import Referee, jars, java

_VERSION = "2.19.6"  # the newest that runs on Java 17
_MODULES = ("transport-netty4-client", "lang-painless", "analysis-common")


def parts() -> tuple[Path, Path]:
    """Return a Java that runs it, and its jars."""
    modules = [f"org.opensearch.plugin:{name}:{_VERSION}" for name in _MODULES]
    log = "org.apache.logging.log4j:log4j-core:2.25.4"  # which the engine's own package has
    return java(17), jars(f"opensearch-{_VERSION}", f"org.opensearch:opensearch:{_VERSION}", *modules, log)


OPENSEARCH = Referee("OpenSearch", _VERSION, parts)
