"""Files of Iceberg tables on S3, for PyIceberg: through the one client of boto3 that every function has anyway."""

import io
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from botocore.exceptions import ClientError
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.typedef import EMPTY_DICT, Properties

from sluice.aws.runtime import error_code, s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CLIENT = "sluice.client"
"""Property of a catalog: the client to use instead of the function's own."""

_BLOCK_BYTES = 128 << 10  # most footers of Parquet, with what a reader asks for before them


class S3FileIO(FileIO):
    """Reads, writes and deletes objects by their locations, ``s3://bucket/key``."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)
        self._client: S3Client = properties.get(CLIENT) or s3()

    def new_input(self, location: str) -> "_Input":
        """Return an object to be read."""
        return _Input(self._client, location)

    def new_output(self, location: str) -> "_Output":
        """Return an object to be written."""
        return _Output(self._client, location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete an object; one that is not there is deleted already."""
        self._client.delete_object(**_place(location if isinstance(location, str) else location.location))


class _Input(InputFile):
    def __init__(self, client: "S3Client", location: str) -> None:
        super().__init__(location)
        self._client = client
        self._size: int | None = None

    def __len__(self) -> int:
        if self._size is None:
            try:
                self._size = self._client.head_object(**_place(self.location))["ContentLength"]
            except ClientError as error:
                raise _missing(error, self.location) from error
        return self._size

    def exists(self) -> bool:
        try:
            return len(self) >= 0
        except FileNotFoundError:
            return False

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002  # PyIceberg's signature
        if self.location.endswith(".parquet"):
            return cast("InputStream", io.BufferedReader(_Ranges(self), _BLOCK_BYTES))
        return cast("InputStream", io.BytesIO(self.read()))

    def read(self, **wanted: str) -> bytes:
        """Return the object's bytes, or those of a range."""
        try:
            answer = self._client.get_object(**_place(self.location), **wanted)  # type: ignore[arg-type]
        except ClientError as error:
            raise _missing(error, self.location) from error
        if whole := answer.get("ContentRange"):
            self._size = int(whole.rpartition("/")[2])
        return answer["Body"].read()


class _Ranges(io.RawIOBase):
    """An object of which its end is read, which tells its size as well, and then those ranges that are asked for."""

    def __init__(self, file: _Input) -> None:
        super().__init__()
        self._file, self._at = file, 0
        self._end = file.read(Range=f"bytes=-{_BLOCK_BYTES}")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._file)}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # Buffer is a type since Python 3.12
        begin, end = self._at, min(self._at + len(buffer), len(self._file))
        known = begin - (len(self._file) - len(self._end))  # where that is in the part that is here
        body = self._end[known:][: end - begin] if known >= 0 else self._file.read(Range=f"bytes={begin}-{end - 1}")
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)


class _Output(OutputFile):
    def __init__(self, client: "S3Client", location: str) -> None:
        super().__init__(location)
        self._client = client

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> _Input:
        return _Input(self._client, self.location)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002  # PyIceberg's signature
        return cast("OutputStream", _Upload(self._client, self.location))


class _Upload(io.BytesIO):
    """An object that is written whole, once, when its block ends well; names are unique: none is overwritten.

    What was abandoned is not written when it is collected as garbage, which for any other stream closes it.
    """

    def __init__(self, client: "S3Client", location: str) -> None:
        super().__init__()
        self._client, self._location = client, location

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        super().close()

    def close(self) -> None:
        if not self.closed:
            body = self.getvalue()
            super().close()  # first: one that S3 refused is closed, too
            self._client.put_object(**_place(self._location), Body=body)

    def __del__(self) -> None:
        super().close()


def _place(location: str) -> Any:  # noqa: ANN401  # the two parameters that name an object in every request
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _missing(error: ClientError, location: str) -> Exception:
    """Return what PyIceberg expects of an object that is not there; other errors as they are."""
    return FileNotFoundError(location) if error_code(error) in {"404", "NoSuchKey"} else error
