"""The four calls: what is sent, and what is made of the answers."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from sluice.vendor_exports.client.api import (
    Accepted,
    AnswerNotUnderstoodError,
    CredentialsRefusedError,
    Environment,
    JobReport,
    JobStatus,
    JobUnknownError,
    ListedFile,
    Refused,
    VendorError,
    VendorUnavailableError,
)
from tests.support.scripted_server import NOW, http_date, said
from tests.vendor_exports.unit.client.script import Secret, Vendor, assert_says_nothing_secret, client_of

TEST, PROD = Environment.TEST, Environment.PROD
EXPORT, STATUS = "https://export.test/api/datalake/v1/export", "https://export.test/api/datalake/v1/CheckJobStatus"
NEXT = NOW + timedelta(minutes=30)
SENTENCE = f"Next request is allowed at {NEXT:%Y-%m-%d %H:%M:%S}"


def assert_fails(vendor: Vendor, call: str, kind: type[VendorError], secret: Secret | None = None) -> str:
    client = client_of(vendor, secret)
    calls: dict[str, Any] = {
        "trigger": lambda: client.trigger(TEST),
        "status": lambda: client.status("guid"),
        "files": lambda: client.files(TEST, "guid", 60),
    }
    with pytest.raises(kind) as error:
        calls[call]()
    assert_says_nothing_secret(error.value)
    assert f", {call}: " in str(error.value)
    return str(error.value)


# Requests


@pytest.mark.parametrize(
    ("environment", "config"), [(TEST, "onDemandExtract1DayTest"), (PROD, "onDemandExtract1DayProd")]
)
def test_the_trigger(environment: Environment, config: str) -> None:
    vendor = Vendor([said(200, {"JobGuid": "guid"})])
    assert client_of(vendor).trigger(environment) == Accepted("guid")
    _, request = vendor.requests
    assert (request.method, str(request.url)) == ("POST", EXPORT)
    assert orjson.loads(request.content) == {"configName": config}
    assert (request.headers["authorization"], request.headers["content-type"]) == ("Bearer TOKEN-1", "application/json")


def test_the_status() -> None:
    vendor = Vendor([said(200, {"JobStatus": "Running"})])
    assert client_of(vendor).status("the guid") == JobReport(JobStatus.RUNNING, "Running")
    _, request = vendor.requests
    assert (request.method, str(request.url)) == ("POST", STATUS)
    assert orjson.loads(request.content) == {"jobGuid": "the guid"}
    assert request.headers["authorization"] == "Bearer TOKEN-1"


@pytest.mark.parametrize("environment", [TEST, PROD])
def test_the_files(environment: Environment) -> None:
    vendor = Vendor([said(200, [{"key": "a/b", "presignedDownloadURL": "https://x/SIGNATURE", "size": 3}])])
    assert client_of(vendor).files(environment, "guid & co", 60) == [ListedFile("a/b", "https://x/SIGNATURE", 3)]
    (request,) = vendor.requests
    assert request.method == "GET"
    assert str(request.url.copy_with(query=None)) == "https://files.test/v1/datalake/presignedUrls/ACME"
    assert dict(request.url.params) == {
        "apiToken": "SECRET/one +",
        "environmentType": environment.value,
        "jobGuid": "guid & co",
        "fileFilter": "*",
        "hideMetaData": "False",
        "expirationInMinutes": "60",
    }
    assert "authorization" not in request.headers


# Access


DENIALS = [401, 403, 419, 440, 498]


@pytest.mark.parametrize("status", DENIALS)
def test_a_token_that_died_early_is_replaced_once(status: int) -> None:
    vendor, secret = Vendor([said(status, {"Message": "Expired."}), said(200, {"JobStatus": "Complete"})]), Secret()
    assert client_of(vendor, secret).status("guid").status is JobStatus.COMPLETE
    sent = [request.headers["authorization"] for request in vendor.requests if "authorization" in request.headers]
    assert sent == ["Bearer TOKEN-1", "Bearer TOKEN-2"]
    assert secret.read == 1, "it may have been rotated, too"


@pytest.mark.parametrize("status", DENIALS)
@pytest.mark.parametrize("call", ["trigger", "status", "files"])
def test_new_credentials_that_are_refused_too(call: str, status: int) -> None:
    secret = Secret()
    vendor = Vendor([said(status, {"Message": "No SECRET/one +."}), said(status, {"message": "No SECRET-two."})])
    text = assert_fails(vendor, call, CredentialsRefusedError, secret)
    assert f'the vendor refuses our credentials ({status}), new ones too: "No ***.". The secret was' in text
    assert (vendor.tokens, secret.read) == (0 if call == "files" else 2, 1)


@pytest.mark.parametrize("call", ["trigger", "status", "files"])
def test_new_credentials_that_are_refused_for_a_time(call: str) -> None:
    vendor = Vendor([said(403, {"Message": "No."}, retry_after="90") for _ in range(2)])
    assert "the vendor answered 403 and asks to wait" in assert_fails(vendor, call, VendorUnavailableError)
    assert len([path for path in vendor.paths if path != "/connect/token"]) == 2


@pytest.mark.parametrize("status", DENIALS)
def test_a_rotated_secret_serves_the_list(status: int) -> None:
    vendor, secret = Vendor([said(status), said(200, [])]), Secret()
    assert client_of(vendor, secret).files(TEST, "guid", 60) == []
    assert [request.url.params["apiToken"] for request in vendor.requests] == ["SECRET/one +", "SECRET-two"]


# Refusals and excuses


@pytest.mark.parametrize("status", [400, 403, 409, 425, 429, 500, 503])
def test_a_refusal_comes_with_any_status(status: int) -> None:
    vendor = Vendor([said(status, {"Message": SENTENCE})])
    assert client_of(vendor).trigger(TEST) == Refused(1800, SENTENCE)
    assert vendor.pauses == []


@pytest.mark.parametrize("status", [400, 403, 429])
@pytest.mark.parametrize("seconds", [None, 2000])
def test_a_refusal_that_names_no_time(status: int, seconds: int | None) -> None:
    asked = {} if seconds is None else {"retry_after": str(seconds)}
    vendor = Vendor([said(status, {"Message": "Later, please."}, **asked) for _ in range(2)])
    assert client_of(vendor).trigger(TEST) == Refused(seconds, "Later, please.")
    assert vendor.tokens == (2 if status == 403 else 1), "it may be the token's fault"


def test_an_excuse_is_not_taken_for_a_refusal() -> None:
    vendor = Vendor([said(503, {"Message": "Something went wrong."}), said(200, {"JobGuid": "guid"})])
    assert client_of(vendor).trigger(TEST) == Accepted("guid")
    assert len(vendor.pauses) == 1


def test_the_vendors_clock_counts_and_ours_where_it_shows_none() -> None:
    ahead = said(400, {"Message": SENTENCE}, date=http_date(NOW + timedelta(minutes=20)))
    assert client_of(Vendor([ahead])).trigger(TEST) == Refused(600, SENTENCE)
    silent = said(400, {"Message": SENTENCE})
    del silent.headers["date"]
    assert client_of(Vendor([silent])).trigger(TEST) == Refused(1800, SENTENCE)


def test_a_time_that_is_just_over_is_now() -> None:
    late = said(400, {"Message": SENTENCE}, date=http_date(NEXT + timedelta(seconds=2)))
    assert client_of(Vendor([late])).trigger(TEST) == Refused(0, SENTENCE)


def test_a_refusal_repeats_nothing_secret() -> None:
    words = "No, SECRET/one + with TOKEN-1; see https://export.test/?apiToken=SECRET%2Fone%20%2B. Later."
    refused = client_of(Vendor([said(400, {"Message": words})])).trigger(TEST)
    assert refused == Refused(None, "No, *** with ***; see *** Later.")


# Answers in other forms


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "document", [{"JobGuid": " guid\n"}, {"jobGuid": "guid"}, {"job_guid": "guid"}, {"JOBGUID": "guid"}]
)
def test_an_acceptance_in_other_forms(status: int, document: Any) -> None:
    assert client_of(Vendor([said(status, document)])).trigger(TEST) == Accepted("guid")


def test_statuses_and_lists_in_other_forms() -> None:
    bom = b"\xef\xbb\xbf"
    vendor = Vendor([httpx.Response(202, content=bom + b'{"jobStatus": "Complete"}'), httpx.Response(204)])
    client = client_of(vendor)
    assert client.status("guid").status is JobStatus.COMPLETE
    assert client.files(TEST, "guid", 60) == []


# Answers nobody expects


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"JobGuid": ""}, {"JobGuid": 7}, {"JobGuid": "x" * 201}, {"JobGuid": "船"}, {"Message": SENTENCE}],
)
def test_an_acceptance_without_a_job(document: Any) -> None:
    assert "answered 200" in assert_fails(Vendor([said(200, document)]), "trigger", AnswerNotUnderstoodError)


@pytest.mark.parametrize("document", [None, [], {}, {"Message": ""}, {"Message": 7}, {"JobGuid": "guid"}])
def test_a_refusal_without_words(document: Any) -> None:
    assert "answered 400" in assert_fails(Vendor([said(400, document)]), "trigger", AnswerNotUnderstoodError)


@pytest.mark.parametrize("value", [None, 7, ["Complete"], "Replicating 45%"])
def test_a_status_in_unknown_words_or_in_none(value: Any) -> None:
    assert client_of(Vendor([said(200, {"JobStatus": value})])).status("guid").status is JobStatus.UNKNOWN


def test_a_status_repeats_nothing_secret() -> None:
    assert client_of(Vendor([said(200, {"JobStatus": "TOKEN-1 https://x"})])).status("guid").word == "*** ***"


@pytest.mark.parametrize("call", ["status", "files"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b'[{"JobStatus": "Comp'),
        httpx.Response(200, content=b"<!DOCTYPE html>"),
        said(200, {}),
        said(302, {"JobStatus": "Complete"}),
        said(404, {"Message": "no job, SECRET/one +, https://files.test/?SIGNATURE"}),
        said(404, []),
    ],
    ids=range(6),
)
def test_answers_that_are_not_understood(call: str, answer: httpx.Response) -> None:
    forgotten = answer.status_code == httpx.codes.NOT_FOUND
    text = assert_fails(Vendor([answer]), call, JobUnknownError if forgotten else AnswerNotUnderstoodError)
    assert f"the vendor answered {answer.status_code}" in text
