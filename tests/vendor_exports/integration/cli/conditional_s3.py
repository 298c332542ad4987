"""A client of moto that keeps the conditions of copies, which moto ignores, and raises the errors that a test sets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

Action = Callable[[], object]


def failing(code: str) -> Action:
    """An action that raises an error of S3."""

    def fail() -> None:
        raise s3_error(code)

    return fail


def s3_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"it is {code}"}}, "CopyObject")


class ConditionalS3:
    """S3 whose copies honour If-Match of the source and If-None-Match of the target.

    A conditional PutObject counts as a copy. `after` is called once an object is copied, and may raise.
    """

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.after: Action = lambda: None
        self._before: tuple[str, Action] = ("", lambda: None)
        self.copied: list[str] = []
        self._lock = Lock()

    def before_copy(self, name: str, happens: Action) -> None:
        """Let something happen just before each copy of a file."""
        self._before = name, happens

    def copy_object(self, **request: Any) -> Any:
        with self._turn(request):
            if request["IfNoneMatch"] == "*" and self._etag(request["Bucket"], request["Key"]):
                raise s3_error("PreconditionFailed")
            answer = self.s3.copy_object(**request)
            self.copied.append(request["Key"])
            self.after()
            return answer

    def put_object(self, **request: Any) -> Any:
        if "IfNoneMatch" not in request:
            return self.s3.put_object(**request)
        with self._turn(request):
            answer = self.s3.put_object(**request)
            self.copied.append(request["Key"])
            return answer

    def upload_part_copy(self, **request: Any) -> Any:
        with self._turn(request):
            return self.s3.upload_part_copy(**request)

    @contextmanager
    def _turn(self, request: dict[str, Any]) -> Iterator[None]:
        """Let one thread at a time, as moto's own state is not made for many, copy what its source still holds."""
        name, happens = self._before
        with self._lock:
            if request["Key"].endswith(name):
                happens()
            if source := request.get("CopySource"):
                etag = self._etag(source["Bucket"], source["Key"])
                if etag != request["CopySourceIfMatch"]:
                    raise s3_error("PreconditionFailed" if etag else "NoSuchKey")
            yield

    def _etag(self, bucket: str, key: str) -> str | None:
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return found[0]["ETag"] if found and found[0]["Key"] == key else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)
