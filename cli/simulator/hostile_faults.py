"""Faults of a vendor that was taken over: to fill memory, to take for ever, to leak."""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, urlsplit

import orjson

from cli.http_server.content import stored
from cli.http_server.faults import Fault, Target
from cli.http_server.hostile_faults import dripping
from cli.http_server.messages import Response, body_response
from cli.simulator.http_messages import Call, Request
from cli.simulator.vendor import Entry, VendorFault
from cli.simulator.vendor_faults import A_FILE, name_of
from sluice.vendor_exports.delivery.model import MASTER_SCHEMA

MANY = 560_000
_JSON = "application/json"


def echoed(call: Call, write: Callable[[str], str] = lambda text: text) -> Fault:
    """The secrets that came with a request stand in its answer, as an error's message, a word and an object key."""

    def after(request: Request, answer: Response) -> Response:
        if request.call is not call:
            return answer
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        said = write(request.query.get("apiToken") or request.form.get("client_secret") or token)
        members = {"Message": said, "JobGuid": said, "JobStatus": said}
        document = [{"key": f"a/{said}", "presignedDownloadURL": f"https://{said}.test/x", "size": said}]
        return body_response(200, orjson.dumps(document if call is Call.LIST else members), _JSON)

    return Fault(after=after)


def echoed_in_disguise(call: Call = Call.STATUS) -> Fault:
    """The same, percent-encoded and in base64."""
    return echoed(call, lambda text: f"{quote(text, safe='').lower()} {b64encode(f'id:{text}'.encode()).decode()}")


def many_tables(count: int = MANY) -> VendorFault:
    """The schema of all tables has 560,000 of them, others in every export."""

    def body(path: str) -> bytes:
        job = path.split("/")[2][:4]
        return b"[%b]" % b",".join(b'{"DataObjectName":"%b%d"}' % (job.encode(), at) for at in range(count))

    return _replaced(MASTER_SCHEMA, body)


def many_files(count: int = MANY) -> VendorFault:
    """The list has 560,000 files more."""
    return VendorFault(entries=lambda _, listed: listed + [_small(listed[0], number) for number in range(count)])


def _small(entry: Entry, number: int) -> Entry:
    return {"key": f"T{number}_0", "presignedDownloadURL": "https://host.test/", "size": entry["size"]}


def _replaced(name: str, body: Callable[[str], bytes]) -> VendorFault:
    """Replace a file by what is made of its path, and its size in the list."""
    made = lru_cache(maxsize=2)(lambda path: stored(body(path)))

    def entry_of(entry: Entry) -> Entry:
        path = urlsplit(entry["presignedDownloadURL"]).path
        return entry | {"size": made(path).size} if name_of(entry) == name else entry

    return VendorFault(
        content=lambda request, content: made(request.path) if request.file == name else content,
        entries=lambda _, listed: list(map(entry_of, listed)),
    )


def file_dripping(file: str = A_FILE) -> Fault:
    """A file comes drop by drop and never ends."""
    return dripping(Target(Call.FILE, file))
