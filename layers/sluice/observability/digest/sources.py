"""Digests made from what a stage keeps: records of runs in the lake bucket, and what the pipelines' sections read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pkgutil import resolve_name
from typing import Any

from sluice.lake.object_store import ObjectStore
from sluice.observability.digest.build import digest_without_sections, with_sections
from sluice.observability.digest.model import Digest, Section, SectionSources
from sluice.observability.digest.periods import Period
from sluice.observability.pipeline import Pipeline, kinds_of
from sluice.runs.records import RunRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSources:
    """The lake bucket and DynamoDB of a stage, and the settings of its pipelines' sections, by pipeline."""

    stage: str
    pipelines: tuple[Pipeline, ...]
    lake: ObjectStore
    dynamodb: Any  # a client of boto3
    settings: Mapping[str, Mapping[str, str]]

    def digest(self, period: Period, now: datetime) -> Digest:
        """Return the digest of a period. Raises ObjectStoreError."""
        records = RunRecords(self.lake, kinds_of(self.pipelines)).between(*period.known)
        digest = digest_without_sections(self.stage, period, records, self.pipelines, now)
        return with_sections(digest, [self._section(each, digest) for each in self.pipelines if each.digest_section])

    def _section(self, pipeline: Pipeline, digest: Digest) -> Section:
        sources = SectionSources(self.lake, self.dynamodb, self.settings.get(pipeline.name, {}))
        section: Section = resolve_name(pipeline.digest_section)(digest, sources)
        return section
