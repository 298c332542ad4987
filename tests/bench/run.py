"""All of the bench, inside its own environment: ``python -m tests.bench.run FOLDER``."""

import sys
from pathlib import Path

from tests.bench.conversion import bench_conversion
from tests.bench.corpus import STANDARD, make_corpus
from tests.bench.page import page
from tests.bench.result import Result
from tests.bench.validation import bench_validation
from tests.bench.whole import bench_growth, bench_whole


def main(folder: Path) -> None:
    """Measure, print and write."""
    corpus, result = make_corpus(STANDARD), Result()
    bench_validation(corpus, folder, result)
    bench_conversion(result)
    bench_whole(corpus, result)
    bench_growth(result)
    written = result.write(folder / "result.json")
    (folder / "bench.html").write_text(page(written))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
