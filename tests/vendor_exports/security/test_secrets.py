"""A vendor that repeats our secrets, in any form, gets them into nothing that lasts or is shown."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import orjson
import pytest

from cli.http_server.faults import Fault
from cli.http_server.messages import Response
from cli.simulator import hostile_faults
from cli.simulator.http_messages import Call, Request
from sluice.http.redaction import Redactor
from sluice.vendor_exports.client.api import VendorError
from tests.support.moto.backend import items_of, objects_of
from tests.support.moto.stage import LAKE
from tests.vendor_exports.integration.exporting import SLOTS_TABLE, Exporting, export

__all__ = ["export"]

# Every form is tried on the redactor itself; here, that nothing passes it by.
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "every character percent-encoded": lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    "base64": lambda text: urlsafe_b64encode(f"id:{text}".encode()).decode(),
}


def headers_echo(write: Callable[[str], str]) -> Fault:
    """The signature of a file's URL stands in its ETag, and in the code of an error for every other file."""

    def after(request: Request, answer: Response) -> Response:
        if request.call is not Call.FILE:
            return answer
        said = write(request.target.partition("signature=")[2])
        if request.file.startswith("_"):
            return replace(answer, headers=answer.headers | {"ETag": f'"{said[:200]}"'})
        code = f"<Code>{said[:64]}</Code>".encode()
        return Response(500, (code,), len(code), {"Content-Type": "application/xml"})

    return Fault(after=after)


@pytest.mark.parametrize("form", FORMS)
def test_no_place_keeps_what_the_vendor_repeats(export: Exporting, form: str, caplog: pytest.LogCaptureFixture) -> None:
    places: list[str] = []
    for call in (*Call, None):
        export.reset()
        faults = [hostile_faults.echoed(call, FORMS[form]) if call else headers_echo(FORMS[form])]
        export.simulator.vendor.faults = faults
        try:
            places.append(json.dumps(export.run("run")))
        except VendorError as error:  # the machine keeps its text as the cause
            places += [str(error), repr(error.args)]
        places += _kept()
        assert export.simulator.requests(call or Call.FILE) or call is Call.FILE, "the vendor was asked"
    logged = [json.dumps(vars(record), default=str) for record in caplog.records]
    assert any("waited_seconds" in text for text in logged), "functions log"
    redactor = Redactor(*_secrets(export))
    for place in (*places, *logged):
        assert not redactor.holds(place), place[:2000]


def _kept() -> Iterator[str]:
    """Every text that lasts: objects but the vendor's own files, their keys and metadata, items."""
    s3 = boto3.client("s3")
    for key, body in objects_of(LAKE).items():
        yield key
        yield json.dumps(s3.head_object(Bucket=LAKE, Key=key)["Metadata"])
        if key.startswith("runs/") or key.endswith("_PresignedUrls.json"):
            yield body.decode()
    yield from (orjson.dumps(item, default=str).decode() for item in items_of(SLOTS_TABLE))


def _secrets(export: Exporting) -> list[str]:
    """What the vendor was shown and gave out."""
    seen: list[Any] = export.simulator.journal
    tokens = [request.headers.get("Authorization", "").removeprefix("Bearer ") for request in seen]
    signatures = [request.target.partition("signature=")[2] for request in seen]
    return list({export.simulator.vendor.credentials.client_secret, *tokens, *signatures} - {""})[:60]
