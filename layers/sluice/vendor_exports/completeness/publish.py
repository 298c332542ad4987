"""The files people and Athena read: derived from the state, and never older than what they replace."""

from collections.abc import Callable, Collection, Mapping, Sequence

from sluice.lake.object_store import ObjectStore, StoredObject
from sluice.vendor_exports.completeness import csvs
from sluice.vendor_exports.completeness.catalog import HISTORY_TABLES
from sluice.vendor_exports.completeness.derive import derive
from sluice.vendor_exports.completeness.keys import (
    JOB_METRICS_CSV,
    JOB_SIZE_CSV,
    REPORT,
    TABLE_METRICS_CSV,
    history_key,
    observability_key,
    state_key,
)
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.recording import ATTEMPTS, busy, known
from sluice.vendor_exports.completeness.tables import history_parquet
from sluice.vendor_exports.delivery.slots import Environment

Report = Callable[[Environment, Sequence[SlotHistory], Sequence[str]], bytes]
"""Makes the page of an environment's rows; the last argument is the tables out of scope. Same rows, same bytes."""

_CSVS = {
    JOB_METRICS_CSV: csvs.job_metrics_csv,
    TABLE_METRICS_CSV: csvs.table_metrics_csv,
    JOB_SIZE_CSV: csvs.job_size_csv,
}


class Publishing:
    """Writes the outputs of an environment."""

    def __init__(self, files: ObjectStore, report: Report, out_of_scope: Collection[str]) -> None:
        """Bind the bucket, the maker of the report, and the tables nobody expects."""
        self._files = files
        self._report = report
        self._out_of_scope = sorted(out_of_scope)

    def publish(self, environment: Environment) -> None:
        """Bring every output to what the state says; do nothing where there is no state.

        Raises:
            HistoryBusyError: Others wrote the outputs or the state each time.
        """
        for _ in range(ATTEMPTS):
            # The outputs first, the state behind them: whoever has replaced one since may know more than we do.
            standing = {key: self._files.find(key) for key in output_keys(environment)}
            state = self._files.find(state_key(environment))
            if state is None:
                return
            written = self._write(standing, self.render(environment, self.rows(state)))
            # Bytes that came back to what they were keep their ETag; only an unmoved state says ours are the newest.
            if written and self._files.find(state_key(environment)) == state:
                return
        raise busy(f"the state or an output of {environment}")

    def rows(self, state: StoredObject | None) -> list[SlotHistory]:
        """Return the rows of all histories."""
        return derive(known(state), self._out_of_scope)

    def render(self, environment: Environment, rows: Sequence[SlotHistory]) -> dict[str, bytes]:
        """Return every output by its key."""
        return {
            **{observability_key(environment, name): write(rows) for name, write in _CSVS.items()},
            **{history_key(environment, table.name): history_parquet(table, rows) for table in HISTORY_TABLES},
            observability_key(environment, REPORT): self._report(environment, rows, self._out_of_scope),
        }

    def _write(self, standing: Mapping[str, StoredObject | None], outputs: Mapping[str, bytes]) -> bool:
        """Write what differs; tell whether nobody came between."""
        return all(self._bring(key, standing[key], body) for key, body in outputs.items())

    def _bring(self, key: str, standing: StoredObject | None, body: bytes) -> bool:
        if standing is None:
            return self._files.replace(key, body, None)
        return standing.body == body or self._files.replace(key, body, standing.etag)


def output_keys(environment: Environment) -> list[str]:
    """Return the keys of all outputs."""
    return [
        *(observability_key(environment, name) for name in (*_CSVS, REPORT)),
        *(history_key(environment, table.name) for table in HISTORY_TABLES),
    ]
