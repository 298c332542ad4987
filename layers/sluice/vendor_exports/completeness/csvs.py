"""The three histories as the CSV files their readers know."""

import csv
import io
from collections.abc import Iterable, Sequence

from sluice.vendor_exports.completeness.model import SlotHistory

JOB_METRICS = ("date", "jobDelivered", "JobExpected")
TABLE_METRICS = (
    "date",
    "tablesDelivered",
    "tablesExpected",
    "missingTables",
    "missingTablesList",
    "completenessRatio",
)
JOB_SIZE = ("date", "size", "files")

_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would run what begins so
_REPLACED = "?"


def job_metrics_csv(rows: Iterable[SlotHistory]) -> bytes:
    """Write whether each slot's job delivered."""
    return _csv(JOB_METRICS, ((row.slot, int(row.delivered), 1) for row in rows))


def table_metrics_csv(rows: Iterable[SlotHistory]) -> bytes:
    """Write how many of the expected tables came, and which did not."""
    return _csv(
        TABLE_METRICS,
        (
            (
                row.slot,
                len(row.expected) - len(row.missing),
                len(row.expected),
                len(row.missing),
                list_of_names(row.missing),
                f"{row.completeness:.4f}",
            )
            for row in rows
        ),
    )


def job_size_csv(rows: Iterable[SlotHistory]) -> bytes:
    """Write files and kB (1000 bytes, exactly) of each slot."""
    return _csv(JOB_SIZE, ((row.slot, f"{row.size // 1000}.{row.size % 1000:03}", row.files) for row in rows))


def list_of_names(names: Iterable[str]) -> str:
    """Join names by ``;`` so that there are as many items as names, on one line, none of which a spreadsheet runs."""
    return ";".join(map(_harmless, names))


def _harmless(name: str) -> str:
    shown = "".join(sign if sign.isprintable() and sign != ";" else _REPLACED for sign in name)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
