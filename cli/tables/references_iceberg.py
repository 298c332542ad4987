"""Files that the snapshots of Iceberg tables need, also where a part of it is gone."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pyiceberg.table import Table as IcebergTable

from sluice.lake.tables_iceberg import Snapshot
from sluice.tables.table_files_iceberg import IcebergFiles, key_of, newest_run_of
from sluice.tables.tidying import References


class Unreadable(Exception):  # noqa: N818  # what it says of a table
    """The catalog's entry of a table leads nowhere; the message names the object that is gone."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Lists what a table needs: in all, of each snapshot the keys of its manifests, of each manifest its files'."""

    references: References
    manifests: dict[int, list[str]]
    files: dict[str, list[str]]


class TableReferences(IcebergFiles):
    """The tables of one database, and what each needs."""

    def newest_run(self, tables: Sequence[str]) -> str:
        """Return the newest run of Convert that added files to any of the tables that can be read; "" for none."""
        newest = ""
        for table in tables:
            with suppress(Unreadable):
                newest = max(newest, newest_run_of(self._readable(table)))
        return newest

    def needed(self, table: str) -> Needed:
        """Return what a table needs. Raises Unreadable."""
        entry = self._catalog.glue.get_table(DatabaseName=self._database, Name=table.lower())["Table"]
        current = self._readable(table)
        locations = {current.metadata_location, *(each.metadata_file for each in current.metadata.metadata_log)}
        locations |= {each.statistics_path for each in current.metadata.statistics}
        manifests: dict[int, list[str]] = {}
        files: dict[str, list[str]] = {}
        for snapshot in current.snapshots():
            locations.add(snapshot.manifest_list)
            manifests[snapshot.snapshot_id] = [snapshot.manifest_list]
            try:
                for manifest in snapshot.manifests(current.io):
                    manifests[snapshot.snapshot_id].append(manifest.manifest_path)
                    if manifest.manifest_path not in files:
                        files[manifest.manifest_path] = []
                        entries = manifest.fetch_manifest_entry(current.io, discard_deleted=True)
                        files[manifest.manifest_path] = [each.data_file.file_path for each in entries]
            except FileNotFoundError:
                continue
        locations |= files.keys() | {path for paths in files.values() for path in paths}
        created = entry["CreateTime"].replace(microsecond=0)
        keys = frozenset(map(key_of, locations))
        return Needed(References(keys, newest_run_of(current), created), manifests, files)

    def lost(self, table: str, missing: set[str]) -> Iterator[tuple[Snapshot, set[str]]]:
        """Yield the snapshots of a table, the newest first, and what each needs of what is missing."""
        needed = self.needed(table)
        lost_by = {path: missing.intersection(map(key_of, [path, *files])) for path, files in needed.files.items()}
        for snapshot in self.snapshots(table):
            paths = needed.manifests.get(snapshot.snapshot_id, [])
            yield snapshot, set[str]().union(*(lost_by.get(each, missing & {key_of(each)}) for each in paths))

    def _readable(self, table: str) -> IcebergTable:
        try:
            return self._load(table)
        except FileNotFoundError as error:
            raise Unreadable(f"its metadata are gone: {error}") from error
