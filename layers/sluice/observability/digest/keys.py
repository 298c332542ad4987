"""Where pages of digests lie in the lake bucket."""

from sluice.observability.digest.periods import Span

REPORTS_PREFIX = "data/reports/"


def page_key(span: Span) -> str:
    """Return the key of a span's page: its kind and the last day in it."""
    return f"{REPORTS_PREFIX}{span.kind}-{span.last_day}.html"
