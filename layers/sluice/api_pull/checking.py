"""The check of an endpoint's raw pages: clean rows become Parquet files, dirty ones records, a verdict follows."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.api_pull.contracts import SNAPSHOT_DATE, EndpointContract, contracts
from sluice.api_pull.extraction import packed, raw_pages
from sluice.api_pull.history import History, keys_key
from sluice.api_pull.model import CleanFile, Pull, PullError, RawPart
from sluice.api_pull.progress import AGAIN, GOOD, HELD_BACK, CheckProgress, ExtractProgress
from sluice.api_pull.quality import verdict_on
from sluice.api_pull.rows import Keys, Place, RowChecker
from sluice.lake.object_store import ObjectStore, table_prefix
from sluice.lake.parquet import to_parquet


class Check:
    """Checks one endpoint of a pull, as many raw parts as a call has time for."""

    def __init__(
        self,
        pull: Pull,
        endpoint: str,
        extracted: ExtractProgress,
        *,
        lake: ObjectStore,
        schema: pa.Schema,
        history: History,
        token: str,
    ) -> None:
        """Bind the endpoint; `schema` is its table's, the `token` keeps the objects of this call apart from others."""
        self._pull = pull
        self._contract: EndpointContract = contracts()[endpoint]
        self._extracted = extracted
        self._lake = lake
        self._schema = schema
        self._history = history
        self._token = token

    def proceed(
        self, progress: CheckProgress, has_time: Callable[[], bool], clock: Callable[[], float]
    ) -> CheckProgress:
        """Return the progress after as many parts as there is time for.

        Raises:
            PullError: Rows refer to another endpoint whose keys nobody knows.
        """
        began, parts, counts = clock(), self._extracted.counted_parts, progress.counts
        keys = self._keys()
        seen = {key for part in parts[: progress.parts] for _, row in self._rows(part) for key in self._key_in(row)}
        checker = RowChecker(self._contract, counts, seen, union=self._extracted.is_union)
        while progress.parts < len(parts) and progress.next_step == AGAIN and has_time():
            progress = self._checked(progress, parts[progress.parts], checker, keys)
        if progress.parts == len(parts):
            progress = self._judged(progress)
        return replace(progress, seconds=round(progress.seconds + clock() - began, 3))

    def _checked(self, progress: CheckProgress, part: RawPart, checker: RowChecker, keys: Keys) -> CheckProgress:
        dirty: list[bytes] = []
        kept = checker.check(self._rows(part), keys, dirty)
        files, records = progress.files, progress.dirty
        name = f"{progress.parts:05}-{self._token}"
        if kept:
            rows = checker.table(kept, self._schema, self._pull.snapshot_date)
            if len(rows):
                folder = f"{table_prefix(self._contract.table)}{SNAPSHOT_DATE.name}={self._pull.snapshot_date}"
                file = CleanFile(f"{folder}/pull-{self._pull.pull_id}-{name}.parquet", len(rows))
                self._lake.write(file.key, to_parquet(rows))
                files = (*files, file)
        if dirty:
            records = (*records, self._pull.dirty_key(self._contract.table, name))
            self._lake.write(records[-1], packed(line.rstrip() for line in dirty))
        return replace(progress, parts=progress.parts + 1, files=files, dirty=records)

    def _rows(self, part: RawPart) -> Iterator[tuple[Place, object]]:
        """Yield the rows of a part; those of a union from the last to the first, for the last is the newest."""
        pages = list(enumerate(raw_pages(self._lake.read(part.key)), part.first_page))
        for number, document in reversed(pages) if self._extracted.is_union else pages:
            rows = [(Place(part.key, number, index), row) for index, row in enumerate(document["items"])]
            yield from reversed(rows) if self._extracted.is_union else rows

    def _key_in(self, row: object) -> Iterator[int]:
        key = row.get(self._contract.key) if isinstance(row, dict) else None
        if type(key) is int or (type(key) is float and key.is_integer()):
            yield int(key)

    def _keys(self) -> Keys:
        """Return the keys that rows may refer to: those of this pull, or of the one that the mart shows."""
        endpoints = {reference.endpoint for reference in self._contract.references}
        return {endpoint: self._keys_of(endpoint) for endpoint in endpoints}

    def _keys_of(self, endpoint: str) -> pa.Array:
        ours = self._lake.exists(self._pull.files_key(endpoint))
        pull_id = self._pull.pull_id if ours else self._history.shown(endpoint)
        if pull_id is None:
            raise PullError(
                f"/{self._contract.endpoint} refers to /{endpoint}, of which neither this pull nor an earlier one has "
                f"good rows. Mend /{endpoint} first"
            )
        body = self._lake.read(keys_key(pull_id, endpoint))
        return pq.read_table(pa.BufferReader(body))["key"].combine_chunks()

    def _judged(self, progress: CheckProgress) -> CheckProgress:
        """Return the progress with its verdict, once the keys of the clean rows are written for others to refer to."""
        if not self._contract.row_per_item_of:
            files = (pa.BufferReader(self._lake.read(file.key)) for file in progress.files)
            columns = [pq.read_table(file, columns=[self._contract.key])[self._contract.key] for file in files]
            keys = pa.chunked_array((chunk for column in columns for chunk in column.chunks), pa.int64())
            self._lake.write(keys_key(self._pull.pull_id, self._contract.endpoint), to_parquet(pa.table({"key": keys})))
        usual = self._history.usual(self._contract.endpoint, self._pull.snapshot_date)
        verdict = verdict_on(self._contract, progress.counts, usual)
        return replace(
            progress,
            next_step=HELD_BACK if verdict.cause else GOOD,
            schema_changes=verdict.schema_changes,
            cause=verdict.cause,
        )
