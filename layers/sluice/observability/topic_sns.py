"""The topic that people's messages go to."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsTopic:
    """Sends messages to a topic."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        """Bind client and topic."""
        self._client = client
        self._arn = arn

    def send(self, subject: str, body: str) -> None:
        """Send a message; the subject is ASCII of fewer than 100 characters."""
        self._client.publish(TopicArn=self._arn, Subject=subject, Message=body)
