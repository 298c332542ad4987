"""The media bucket, as far as the index has to ask it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3MediaBucket:
    """Tells what is in the media bucket now; `owner` is the account that owns it."""

    def __init__(self, client: "S3Client", bucket: str, owner: str) -> None:
        self._client = client
        self._bucket = bucket
        self._owner = owner

    def holds(self, key: str) -> bool:
        """Return whether a key names an object: it is listed, which takes no right to read media, nor their key."""
        listed = self._client.list_objects_v2(
            Bucket=self._bucket, Prefix=key, MaxKeys=1, ExpectedBucketOwner=self._owner
        )
        return any(entry["Key"] == key for entry in listed.get("Contents", ()))
