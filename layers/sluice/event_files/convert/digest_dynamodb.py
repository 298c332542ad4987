"""The section of event files in digests, with the age of the tables from the ledger."""

from sluice.event_files.convert.digest import section_of
from sluice.event_files.ledger.freshness_dynamodb import DynamoFreshness
from sluice.observability.digest.model import Digest, Section, SectionSources


def read_section(digest: Digest, sources: SectionSources) -> Section:
    """Return the section; the settings name the `ledger_table`."""
    return section_of(digest, DynamoFreshness(sources.dynamodb, sources.settings["ledger_table"]).newest_hours())
