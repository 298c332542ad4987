"""Measurements beside peers, inside their environment: ``python -m tests.bench.run FILE``."""

import sys
from pathlib import Path

from tests.bench.conversion import bench_conversion
from tests.bench.corpus import STANDARD, make_corpus
from tests.bench.growth import bench_growth
from tests.bench.result import Result
from tests.bench.validation import bench_validation
from tests.bench.whole import bench_whole


def main(written: Path) -> None:
    """Measure, print and write."""
    result = Result()
    with result.part("corpus"):
        corpus = make_corpus(STANDARD)
    with result.part("validation"):
        bench_validation(corpus, written.parent, result)
    with result.part("conversion"):
        bench_conversion(result)
    with result.part("whole"):
        bench_whole(corpus, result)
    with result.part("growth"):
        bench_growth(result)
    result.write(written)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
