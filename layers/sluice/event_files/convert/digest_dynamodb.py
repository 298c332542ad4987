"""The section of event files in digests, with the age of the tables from the ledger."""

from sluice.event_files.convert.digest import section_of
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.observability.digest.model import Digest, Section, SectionSources


def read_section(digest: Digest, sources: SectionSources) -> Section:
    """Return the section; the settings name the `ledger_table`."""
    return section_of(digest, DynamoRunLedger(sources.dynamodb, sources.settings["ledger_table"]).newest_hours())
