"""The buckets that producers write to, as a stage uses them: of one owner, and only below its prefixes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from cli.platform.console import CliError
from cli.platform.session import Deployment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class ProducerBucket:
    """A bucket; every call expects that `owner` owns it. Without `prefixes`, the stage takes all objects."""

    s3: "S3Client"
    name: str
    owner: str
    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, deployment: Deployment, which: Literal["Source", "Media"]) -> Self:
        """Return a bucket of a stage."""
        prefixes = json.loads(deployment.output(f"{which}Prefixes"))
        return cls(
            deployment.s3, deployment.output(f"{which}Bucket"), deployment.output(f"{which}Owner"), tuple(prefixes)
        )

    def key_of(self, name: str) -> str:
        """Return the key of a file, which the stage takes: below the first of its prefixes, unless it is below one."""
        return name if not self.prefixes or name.startswith(self.prefixes) else self.prefixes[0] + name

    def put(self, key: str, body: IO[bytes]) -> str:
        """Put an object and return its ETag."""
        answer = self.s3.put_object(Bucket=self.name, Key=key, Body=body, ExpectedBucketOwner=self.owner)
        return answer["ETag"].strip('"')

    def pages(self, prefix: str = "") -> Iterator[list[Mapping[str, Any]]]:
        """Yield the objects below a prefix that the stage takes, as S3 lists them, a page at a time.

        Raises:
            CliError: The stage takes none of them.
        """
        below = [each if each.startswith(prefix) else prefix for each in self.prefixes if _meet(each, prefix)]
        if self.prefixes and not below:
            raise CliError(
                f"The stage takes nothing below {prefix!r}: its prefixes are {', '.join(self.prefixes)}.",
                "Name one of them, or add it to the stage in the file of stages and deploy.",
            )
        for each in below or [prefix]:
            listing = self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=each, ExpectedBucketOwner=self.owner
            )
            for page in listing:
                yield [*page.get("Contents", ())]


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
