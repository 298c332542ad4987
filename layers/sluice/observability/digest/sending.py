"""A digest goes out: its page into the lake, then its message to people."""

from dataclasses import dataclass
from datetime import datetime

from sluice.observability.digest.keys import page_key
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Span
from sluice.observability.digest.ports import Messages, Pages
from sluice.observability.digest.sources import Sources
from sluice.observability.digest.text import message_of


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out: the page's key, the message's subject, and the number of things to look at."""

    key: str
    subject: str
    notices: int


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends digests; `bucket` and `region` say where the pages can be found."""

    sources: Sources
    pages: Pages
    messages: Messages
    bucket: str
    region: str

    def send(self, span: Span, now: datetime) -> Sent:
        """Write the page of a span, over an earlier one of the same span, and tell people once."""
        digest, key = self.sources.digest(span, now), page_key(span)
        self.pages.write(key, digest_page(digest))
        message = message_of(digest, self._links(span, key))
        self.messages.send(message.subject, message.body)
        return Sent(key, message.subject, len(digest.notices))

    def _links(self, span: Span, key: str) -> dict[str, str]:
        """Say where the page is; no address carries a signature, so one has to be let in to see it."""
        console = f"https://{self.region}.console.aws.amazon.com/s3/object/{self.bucket}"
        again = f"sluice report --stage {self.sources.stage} --span {span.kind} --until {span.end:%Y-%m-%dT%H:%MZ}"
        return {
            "Page": f"s3://{self.bucket}/{key}",
            "Console": f"{console}?region={self.region}&prefix={key}",
            "Here": f"{again} --open",
        }
