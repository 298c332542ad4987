"""The vendor: its state, the four calls of its API, the download of files, and the hooks of faults; without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from cli.http_server.content import Content
from cli.http_server.faults import Fault, answer_with, unchanged
from cli.http_server.messages import Response, api_error, json_response
from cli.simulator.access import Credentials, Grants
from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call, Request, download, storage_error
from cli.simulator.jobs import Job, Jobs, Timing, Wording
from sluice.vendor_exports.client.api import Environment

Entry = dict[str, Any]
"""A file in the list of presigned URLs."""


@dataclass(frozen=True)
class VendorFault(Fault):
    """Something that goes wrong with the vendor: further hooks, each of which changes nothing unless it is given.

    Attributes:
        secrets: Chooses the valid secrets, given those and the next secret.
        exports: Changes the content of a job, when it is triggered.
        status: Changes a job's status.
        entries: Changes the list of files.
        content: Changes a file's content.
        skew: Offset of the vendor's clock, ahead when positive.
        wording: The sentence that refuses triggers, when not the usual one.
    """

    secrets: Callable[[frozenset[str], str], frozenset[str]] = lambda valid, _next: valid
    exports: Callable[[Exports], Exports] = lambda exports: exports
    status: Callable[[str], Any] = lambda status: status
    entries: Callable[[Request, list[Entry]], list[Entry]] = unchanged
    content: Callable[[Request, Content], Content] = unchanged
    skew: timedelta = timedelta()
    wording: Wording | None = None


class DeniedError(Exception):
    """A request is answered with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass
class Vendor:
    """Answers requests; safe to use from many threads. Its exports, faults and timing can be replaced at any time."""

    exports: Exports = field(default_factory=Exports)
    faults: Sequence[Fault] = ()
    timing: Timing = field(default_factory=Timing)
    credentials: Credentials = field(default_factory=Credentials)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self.jobs = Jobs()
        self.tokens = Grants(self.credentials.token_marker)
        self.signatures = Grants(self.credentials.signature_marker)

    def answer(self, request: Request) -> Response:
        """Answer a request, changed by the faults."""
        return answer_with(self.faults, self, request, self._answer)

    def request(self, method: str, target: str, headers: Message, body: bytes) -> Request:
        """Return a request to the vendor."""
        return Request(method, target, headers, body)

    def now(self) -> datetime:
        """Return the time by the vendor's clock."""
        return self.clock() + self.skew

    @property
    def own_faults(self) -> list[VendorFault]:
        """The faults with hooks into the vendor's work."""
        return [fault for fault in self.faults if isinstance(fault, VendorFault)]

    @property
    def skew(self) -> timedelta:
        """Offset of the vendor's clock, ahead when positive."""
        return sum((fault.skew for fault in self.own_faults), timedelta())

    @property
    def wording(self) -> Wording:
        """The sentence that refuses triggers."""
        return next((fault.wording for fault in self.own_faults if fault.wording), Wording.ISO)

    def is_secret(self, text: str) -> bool:
        """Return whether a text is a secret that is valid now."""
        valid = frozenset({self.credentials.client_secret})
        for fault in self.own_faults:
            valid = fault.secrets(valid, self.credentials.next_secret)
        return text in valid

    def _answer(self, request: Request) -> Response:
        if request.call is None:
            return api_error(404, "No such resource.")
        try:
            return CALLS[request.call](self, request)
        except DeniedError as denied:
            return denied.response


def _token(vendor: Vendor, request: Request) -> Response:
    form = request.form
    if form.get("grant_type") != "client_credentials" or form.get("scope") != "datalake":
        return json_response({"error": "invalid_request"}, 400)
    if form.get("client_id") != vendor.credentials.client_id or not vendor.is_secret(form.get("client_secret", "")):
        return json_response({"error": "invalid_client"}, 401)
    seconds = vendor.timing.token
    token = vendor.tokens.issue(vendor.clock() + timedelta(seconds=seconds))
    return json_response({"access_token": token, "expires_in": int(seconds), "token_type": "Bearer"})


def _export(vendor: Vendor, request: Request) -> Response:
    _check_token(vendor, request)
    name = request.document.get("configName")
    environment = next((each for each in Environment if each.config_name == name), None)
    if environment is None:
        return api_error(400, f"There is no configuration {name!r}.")
    exports = vendor.exports
    for fault in vendor.own_faults:
        exports = fault.exports(exports)
    apart = vendor.timing.between_triggers
    job = vendor.jobs.trigger(vendor.clock(), apart, environment, exports)
    if job is None:
        last = vendor.jobs.last + vendor.skew
        return api_error(400, vendor.wording.sentence(last, last + apart, vendor.clock() + vendor.skew))
    job.prepare()
    return json_response({"JobGuid": job.guid})


def _status(vendor: Vendor, request: Request) -> Response:
    _check_token(vendor, request)
    status = _job_status(vendor, _job(vendor, request.document.get("jobGuid")))
    for fault in vendor.own_faults:
        status = fault.status(status)
    return json_response({"JobStatus": status})


def _list(vendor: Vendor, request: Request) -> Response:
    query = request.query
    if not vendor.is_secret(query.get("apiToken", "")):
        return api_error(401, "The apiToken is not valid.")
    job = _job(vendor, query.get("jobGuid"))
    if query.get("environmentType") != job.environment:
        return api_error(400, "The job is one of another environment.")
    entries = _entries(vendor, job, request) if _job_status(vendor, job) == "Complete" else []
    for fault in vendor.own_faults:
        entries = fault.entries(request, entries)
    return json_response(entries)


def _entries(vendor: Vendor, job: Job, request: Request) -> list[Entry]:
    query = request.query
    minutes = query.get("expirationInMinutes", "60")
    if not minutes.isdecimal():
        raise DeniedError(api_error(400, "The expiration is no number of minutes."))
    expiry = vendor.clock() + timedelta(seconds=min(int(minutes) * 60, vendor.timing.url))
    base, folder = f"http://{request.headers['Host']}", f"{request.segments[-1]}/{job.guid}"
    entries = []
    for name, file in job.files.items():
        hidden = query.get("hideMetaData") == "True" and name.startswith("_")
        if not hidden and fnmatchcase(name, query.get("fileFilter", "*")):
            target = f"/files/{job.guid}/{quote(name)}?expires={expiry.timestamp():.3f}"
            url = f"{base}{target}&signature={vendor.signatures.issue(expiry, target)}"
            entries.append({"key": f"{folder}/{name}", "presignedDownloadURL": url, "size": file.size})
    return entries


def _file(vendor: Vendor, request: Request) -> Response:
    target, _, signature = request.target.partition("&signature=")
    if not vendor.signatures.is_valid(signature, vendor.clock(), target):
        return storage_error(403, "AccessDenied")
    job = vendor.jobs.find(request.segments[1])
    content = job.files.get(request.file) if job else None
    if content is None:
        return storage_error(404, "NoSuchKey")
    for fault in vendor.own_faults:
        content = fault.content(request, content)
    return download(request, content)


def _check_token(vendor: Vendor, request: Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not vendor.tokens.is_valid(token, vendor.clock()):
        raise DeniedError(api_error(401, "Authorization has been denied for this request."))


def _job(vendor: Vendor, guid: object) -> Job:
    job = vendor.jobs.find(guid)
    if job is None:
        raise DeniedError(api_error(404, "There is no such job."))
    return job


def _job_status(vendor: Vendor, job: Job) -> str:
    return vendor.timing.job_status(vendor.clock() - job.triggered)


CALLS: dict[Call, Callable[[Vendor, Request], Response]] = {
    Call.TOKEN: _token,
    Call.EXPORT: _export,
    Call.STATUS: _status,
    Call.LIST: _list,
    Call.FILE: _file,
}
