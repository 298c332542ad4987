"""Digests made from what a stage keeps: records of runs in the lake bucket, and what the pipelines' sections read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from sluice.lake.object_store import ObjectStore
from sluice.observability.digest.build import digest_without_sections, with_sections
from sluice.observability.digest.model import Digest, Section, SectionSources
from sluice.observability.digest.periods import Period
from sluice.observability.pipeline import Pipeline
from sluice.runs.records_s3 import S3RunRecords

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSources:
    """Records of a stage's runs, and what sections read; `settings` are those of each section, by its pipeline."""

    stage: str
    pipelines: tuple[Pipeline, ...]
    records: S3RunRecords
    lake: ObjectStore
    dynamodb: "DynamoDBClient"
    settings: Mapping[str, Mapping[str, str]]

    def digest(self, period: Period, now: datetime) -> Digest:
        """Return the digest of a period.

        Raises:
            ObjectStoreError: An object cannot be read.
        """
        digest = digest_without_sections(self.stage, period, self.records.between(*period.known), self.pipelines, now)
        return with_sections(digest, [self._section(each, digest) for each in self.pipelines if each.digest_section])

    def _section(self, pipeline: Pipeline, digest: Digest) -> Section:
        sources = SectionSources(self.lake, self.dynamodb, self.settings.get(pipeline.name, {}))
        section: Section = resolve_name(pipeline.digest_section)(digest, sources)
        return section
