"""Sending of digests: the page into the lake bucket, then a message to the SNS topic."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sluice.observability.digest.message import message_of
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, page_key
from sluice.observability.digest.sources_s3 import DigestSources

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True)
class DigestSender:
    """Sends digests; `bucket` and `region` are those of the lake, for links."""

    sources: DigestSources
    sns: "SNSClient"
    topic: str
    bucket: str
    region: str

    def send(self, period: Period, now: datetime) -> dict[str, Any]:
        """Write the page of a period, over an earlier one of the same period, and send one message.

        Returns:
            The page's `key`, the message's `subject`, and the number of `notices`.
        """
        digest, key = self.sources.digest(period, now), page_key(period)
        self.sources.lake.write(key, digest_page(digest))
        message = message_of(digest, self._links(period, key))
        self.sns.publish(TopicArn=self.topic, Subject=message.subject, Message=message.body)
        return {"key": key, "subject": message.subject, "notices": len(digest.notices)}

    def _links(self, period: Period, key: str) -> dict[str, str]:
        """Return the page's addresses; none is presigned, so they open for those only who may read the bucket."""
        console = f"https://{self.region}.console.aws.amazon.com/s3/object/{self.bucket}"
        again = f"sluice report --stage {self.sources.stage} --span {period.kind} --until {period.end:%Y-%m-%dT%H:%MZ}"
        return {
            "Page": f"s3://{self.bucket}/{key}",
            "Console": f"{console}?region={self.region}&prefix={key}",
            "Here": f"{again} --open",
        }
