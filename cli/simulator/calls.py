"""The four calls of the API, and the download of files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import quote

from cli.simulator.download import download, error
from cli.simulator.exchange import Call, DeniedError, Request, Response, json_response, message
from cli.simulator.faults.base import Entry
from cli.simulator.jobs import Job, TooEarlyError
from sluice.vendor_exports.delivery.slots import Environment

if TYPE_CHECKING:
    from cli.simulator.vendor import Vendor

_COMPLETE = "Complete"


def _token(vendor: Vendor, request: Request) -> Response:
    form = request.form
    if form.get("grant_type") != "client_credentials" or form.get("scope") != "datalake":
        return json_response({"error": "invalid_request"}, 400)
    if form.get("client_id") != vendor.credentials.client_id or not vendor.is_secret(form.get("client_secret", "")):
        return json_response({"error": "invalid_client"}, 401)
    seconds = vendor.timing.token
    token = vendor.tokens.issue(vendor.clock(), timedelta(seconds=seconds))
    return json_response({"access_token": token, "expires_in": int(seconds), "token_type": "Bearer"})


def _export(vendor: Vendor, request: Request) -> Response:
    _check_token(vendor, request)
    name = request.document.get("configName")
    environment = next((each for each in Environment if each.config_name == name), None)
    if environment is None:
        return message(400, f"There is no configuration {name!r}.")
    exports = vendor.exports
    for fault in vendor.faults:
        exports = fault.exports(exports)
    apart = vendor.timing.between_triggers
    try:
        job = vendor.jobs.trigger(vendor.clock(), apart, environment, exports)
    except TooEarlyError as early:
        last = early.last + vendor.skew
        return message(400, vendor.wording.sentence(last, last + apart))
    job.prepare()
    return json_response({"JobGuid": job.guid})


def _status(vendor: Vendor, request: Request) -> Response:
    _check_token(vendor, request)
    status = _job_status(vendor, _job(vendor, request.document.get("jobGuid")))
    for fault in vendor.faults:
        status = fault.status(status)
    return json_response({"JobStatus": status})


def _list(vendor: Vendor, request: Request) -> Response:
    query = request.query
    if not vendor.is_secret(query.get("apiToken", "")):
        return message(401, "The apiToken is not valid.")
    job = _job(vendor, query.get("jobGuid"))
    if query.get("environmentType") != job.environment:
        return message(400, "The job is one of another environment.")
    is_complete = _job_status(vendor, job) == _COMPLETE
    entries = _entries(vendor, job, request) if is_complete else []
    for fault in vendor.faults:
        entries = fault.entries(request, entries)
    return json_response(entries)


def _entries(vendor: Vendor, job: Job, request: Request) -> list[Entry]:
    query = request.query
    expiry = vendor.clock() + _lifetime(vendor, query.get("expirationInMinutes", "60"))
    folder = f"{request.segments[-1]}/{job.guid}"
    entries = []
    for name, file in job.files.items():
        hidden = query.get("hideMetaData") == "True" and name.startswith("_")
        if not hidden and fnmatchcase(name, query.get("fileFilter", "*")):
            path = f"/files/{job.guid}/{quote(name)}"
            url = f"http://{request.headers['Host']}{path}?{vendor.signatures.query(path, expiry)}"
            entries.append({"key": f"{folder}/{name}", "presignedDownloadURL": url, "size": file.content.size})
    return entries


def _lifetime(vendor: Vendor, minutes: str) -> timedelta:
    if not minutes.isdecimal():
        raise DeniedError(message(400, "The expiration is no number of minutes."))
    return timedelta(seconds=min(int(minutes) * 60, vendor.timing.url))


def _file(vendor: Vendor, request: Request) -> Response:
    if not vendor.signatures.is_valid(request.path, request.query, vendor.clock()):
        return error(403, "AccessDenied")
    job = vendor.jobs.find(request.segments[1])
    file = job and job.files.get(request.file)
    if not file:
        return error(404, "NoSuchKey")
    content = file.content
    for fault in vendor.faults:
        content = fault.content(request, content)
    return download(request, content)


def _check_token(vendor: Vendor, request: Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not vendor.tokens.is_valid(token, vendor.clock()):
        raise DeniedError(message(401, "Authorization has been denied for this request."))


def _job(vendor: Vendor, guid: object) -> Job:
    job = vendor.jobs.find(guid)
    if job is None:
        raise DeniedError(message(404, "There is no such job."))
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
