"""What becomes of requests to the vendor when nothing helps: an error that names the slot and the step."""

import httpx
import pytest

from sluice.http.requests_http import ATTEMPTS, MAX_ANSWER_BYTES
from sluice.vendor_exports.client.api import AnswerNotUnderstoodError, VendorError, VendorUnavailableError
from tests.support.scripted_server import said
from tests.vendor_exports.unit.client.script import Vendor, assert_says_nothing_secret

URL = "https://files.test/x?apiToken=SECRET-two&sig=SIGNATURE"


def failure(vendor: Vendor, kind: type[VendorError]) -> VendorError:
    with pytest.raises(kind) as error:
        vendor.connection().send("files", httpx.Request("GET", URL, headers={"Authorization": "Bearer TOKEN-1"}))
    assert_says_nothing_secret(error.value)
    assert "files" in str(error.value)
    return error.value


def test_trouble_that_does_not_pass() -> None:
    error = failure(Vendor([said(503)] * 9), VendorUnavailableError)
    assert f"the vendor answered 503, {ATTEMPTS} times. If this goes on" in str(error)
    assert error.retry_after is None
    assert failure(Vendor([said(429, retry_after="31")]), VendorUnavailableError).retry_after == 31
    assert "ConnectError" in str(failure(Vendor([httpx.ConnectError(f"to {URL}")] * 9), VendorUnavailableError))


def test_an_answer_that_is_too_large() -> None:
    large = httpx.Response(200, content=bytes(MAX_ANSWER_BYTES + 1))
    assert "an answer of more than 1 MB" in str(failure(Vendor([large]), AnswerNotUnderstoodError))
