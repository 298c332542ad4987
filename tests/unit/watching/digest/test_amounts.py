"""Amounts as people read them."""

from datetime import timedelta

import pytest

from sluice.watching.digest import amounts
from tests.unit.watching.digest.making import END


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (amounts.size(999), "999 B"),
        (amounts.size(1000), "1.0 kB"),
        (amounts.size(52_340_000), "52.3 MB"),
        (amounts.size(1.2e19), "12,000,000.0 TB"),
        (amounts.volume("bytes", None), amounts.NOTHING),
        (amounts.volume("export_bytes", 1e9), "1.0 GB"),
        (amounts.volume("files", 1234.5), "1,234"),
        (amounts.ratio(None), amounts.NOTHING),
        (amounts.ratio(0.3333), "0.33"),
        (amounts.share(None), amounts.NOTHING),
        (amounts.share(1), "100 %"),
        (amounts.dollars(0), "$0.00"),
        (amounts.dollars(0.002), "under $0.01"),
        (amounts.dollars(1234.5), "$1,234.50"),
        (amounts.seconds(9.04), "9.0 s"),
        (amounts.seconds(150), "2 min"),
        (amounts.seconds(7500), "2 h 05 min"),
        (amounts.age(END, END + timedelta(minutes=90)), "under an hour"),
        (amounts.age(END, END), "under an hour"),
        (amounts.age(END, END + timedelta(hours=6)), "5 h"),
        (amounts.age(END, END + timedelta(days=4)), "3 days"),
        (amounts.table("-"), "table unknown"),
        (amounts.table("A"), "A"),
    ],
)
def test_amounts(written: str, expected: str) -> None:
    assert written == expected
