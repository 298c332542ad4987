"""Fetch the referees, let them judge, and print what each said: `make referees [ENGINES="trino spark"]`."""

import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from tests.referees.fetching import NotHereError, Referee
from tests.referees.opensearch.engine import OPENSEARCH
from tests.referees.second_cloud.engine import MOTO
from tests.referees.spark.engine import SPARK
from tests.referees.static.engine import CHECKOV, PIP_AUDIT, STATES_LANGUAGE
from tests.referees.trino.engine import TRINO

# Their modules import nothing that pytest is to load itself: tests.support.
REFEREES = (TRINO, SPARK, OPENSEARCH, CHECKOV, STATES_LANGUAGE, PIP_AUDIT, MOTO)

_PLACES = ("tests/referees", "tests/platform/integration/test_search_cluster.py")


class Verdicts:
    """Runs the tests of some referees only, and counts how they end."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marker = item.get_closest_marker("referee")
            item.user_properties.append(("referee", marker.args[0] if marker else ""))
        items[:] = [item for item in items if dict(item.user_properties)["referee"] in self._names]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.counts[str(dict(report.user_properties)["referee"])][report.outcome] += 1


def main(asked: list[str]) -> int:
    """Return 0 where every referee that is to be had has nothing against us."""
    here: list[Referee] = []
    missing: dict[str, str] = {}
    for referee in REFEREES:
        if asked and referee.name.lower() not in asked:
            continue
        _print(f"fetching {referee.name} {referee.version} …")
        try:
            referee.fetch()
            here.append(referee)
        except NotHereError as error:
            missing[referee.name] = str(error)
    verdicts = Verdicts({referee.name for referee in here})
    code = pytest.main(["-m", "referee", *_PLACES], plugins=[verdicts]) if here else 0
    _print(f"\nReferees on {datetime.now(UTC):%Y-%m-%d}:")
    for referee in here:
        counts = verdicts.counts[referee.name]
        said = ", ".join(f"{counts[each]} {each}" for each in ("passed", "failed", "skipped") if counts[each])
        _print(f"  {referee.name} {referee.version}: {said or 'no test'}")
    for name, reason in missing.items():
        _print(f"  {name}: not to be had here, so not asked: {reason}")
    return int(code)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main([name.lower() for name in sys.argv[1:]]))
