"""Signatures of AWS requests (Signature Version 4), checked as AWS checks them: in a header, or in a link's query."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 +"
    r"Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request *, *"
    r"SignedHeaders=(?P<headers>[a-z0-9;_-]+) *, *Signature=(?P<signature>[0-9a-f]{64})"
)
_OF_LINK = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature")
_KEYS = {"x-amz-credential", "awsaccesskeyid"}  # members of a query that name an access key
_CONTENT = "x-amz-content-sha256"
_TIME = "%Y%m%dT%H%M%SZ"
_MOST_SKEW = timedelta(minutes=15)
_LONGEST_LINK = timedelta(days=7)


class RefusedError(Exception):
    """A request is refused: an error code of AWS, and what is the matter."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Signer(SigV4Auth):
    """A signer of the headers that are named beside the request, not of those that botocore would sign."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        headers: HTTPHeaders = request.context["headers"]
        return headers


class _S3Signer(_Signer, S3SigV4Auth):
    """The same by the rules of S3."""


class Request:
    """Holds what signatures sign of a request, its body aside: all of it as it was sent.

    Attributes:
        headers: By lower-case name; those of one name are joined by commas.
    """

    def __init__(self, method: str, path: str, query: str, headers: Iterable[tuple[str, str]]) -> None:
        self.method = method
        self.path = path
        self.query = parse_qsl(query, keep_blank_values=True)
        self.headers: dict[str, str] = {}
        for name, value in headers:
            before = self.headers.get(name.lower())
            self.headers[name.lower()] = value if before is None else f"{before},{value}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature whose time is not over, and the request that it signs.

    Attributes:
        key: The access key that it names.
        token: The session token beside it, if there is one.
        is_of_link: It is in the query, for whoever has the link.
    """

    request: Request
    key: str
    region: str
    service: str
    signed_headers: frozenset[str]
    value: str
    time: str
    token: str
    is_of_link: bool

    @classmethod
    def of(cls, request: Request, now: datetime) -> Self:
        """Return the signature of a request.

        Raises:
            RefusedError: It has none, two, one that says too little, or one whose time is over.
        """
        query, of_link = dict(request.query), "authorization" not in request.headers
        if of_link:
            algorithm, credential, headers, value = (query.get(name, "") for name in _OF_LINK)
            text = f"{algorithm} Credential={credential}, SignedHeaders={headers}, Signature={value}"
        else:
            text = request.headers["authorization"]
        names = [name.lower() for name, _ in request.query]
        if not (found := _SIGNED.fullmatch(text)) or sum(name in _KEYS for name in names) != of_link:
            raise RefusedError("MissingAuthenticationToken", "The request is not signed, or more than once.")
        members = {name.lower(): value for name, value in query.items()} if of_link else request.headers
        time, token = members.get("x-amz-date", ""), members.get("x-amz-security-token", "")
        _check_time(time, now, query.get("X-Amz-Expires", "") if of_link else None)
        signed = frozenset(found["headers"].split(";"))
        if "host" not in signed or time[:8] != found["date"]:
            raise RefusedError("SignatureDoesNotMatch", "The signature leaves out the host, or is of another day.")
        if any(name.startswith("x-amz-") and name not in signed for name in request.headers):  # they say what to do
            raise RefusedError("AccessDenied", "There were headers present in the request which were not signed.")
        key, region, service = found.group("key", "region", "service")
        return cls(request, key, region, service, signed, found["signature"], time, token, of_link)

    @property
    def needs_body(self) -> bool:
        """Return whether it signs the body itself, not what a header says of it."""
        return _CONTENT not in self.request.headers and not (self.is_of_link and self.service == "s3")

    def is_made_with(self, secret: str, body: bytes) -> bool:
        """Return whether this secret key gives this signature."""
        kind = _S3Signer if self.service == "s3" else _Signer
        signer = kind(Credentials(self.key, secret), self.service, self.region)
        pairs = [pair for pair in self.request.query if pair[0] != "X-Amz-Signature"]
        query = urlencode(pairs, quote_via=quote, safe="-_.~")
        again = AWSRequest(self.request.method, f"http://localhost{self.request.path}?{query}", data=body)
        again.context["timestamp"] = self.time
        if not self.needs_body:
            again.headers[_CONTENT] = self.request.headers.get(_CONTENT, "UNSIGNED-PAYLOAD")
        headers = HTTPHeaders()
        for name, value in self.request.headers.items():
            if name in self.signed_headers:
                headers[name] = value
        again.context["headers"] = headers
        value = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
        return hmac.compare_digest(value, self.value)


def _check_time(time: str, now: datetime, link_seconds: str | None) -> None:
    try:
        lasts = _MOST_SKEW if link_seconds is None else timedelta(seconds=int(link_seconds))
        age = now - datetime.strptime(time, _TIME).replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise RefusedError("AccessDenied", "The time of the signature cannot be read.") from error
    if lasts > _LONGEST_LINK or not -_MOST_SKEW <= age <= lasts:
        raise RefusedError("AccessDenied", "The time of the signature is over. Is the clock right?")
