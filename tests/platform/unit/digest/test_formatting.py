"""Formats of amounts."""

from datetime import timedelta

import pytest

from sluice.observability import formatting
from tests.platform.unit.digest.sample_runs import END


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formatting.size(999), "999 B"),
        (formatting.size(1000), "1.0 kB"),
        (formatting.size(52_340_000), "52.3 MB"),
        (formatting.size(1.2e19), "12,000,000.0 TB"),
        (formatting.volume("bytes", None), formatting.NOTHING),
        (formatting.volume("export_bytes", 1e9), "1.0 GB"),
        (formatting.volume("files", 1234.5), "1,234"),
        (formatting.ratio(None), formatting.NOTHING),
        (formatting.ratio(0.3333), "0.33"),
        (formatting.share(None), formatting.NOTHING),
        (formatting.share(1), "100 %"),
        (formatting.dollars(0), "$0.00"),
        (formatting.dollars(0.002), "under $0.01"),
        (formatting.dollars(1234.5), "$1,234.50"),
        (formatting.seconds(9.04), "9.0 s"),
        (formatting.seconds(150), "2 min"),
        (formatting.seconds(7500), "2 h 05 min"),
        (formatting.age(END, END + timedelta(minutes=90)), "under an hour"),
        (formatting.age(END, END), "under an hour"),
        (formatting.age(END, END + timedelta(hours=6)), "5 h"),
        (formatting.age(END, END + timedelta(days=4)), "3 days"),
        (formatting.table("-"), "table unknown"),
        (formatting.table("A"), "A"),
    ],
)
def test_amounts(written: str, expected: str) -> None:
    assert written == expected
