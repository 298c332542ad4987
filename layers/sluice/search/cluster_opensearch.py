"""The search cluster and its Dashboards by opensearch-py, with errors of the domain."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import ConnectionError as NoConnectionError
from opensearchpy.exceptions import NotFoundError, SerializationError, TransportError
from urllib3.filepost import encode_multipart_formdata

from sluice.search.cluster import PUT_OFF, BulkResult, BusyError, RefusedError, TooLargeError

_TOO_LARGE = 413
_TIMEOUT_SECONDS = 60.0  # a collection that sleeps takes up to half a minute to wake
_ALREADY_THERE = "resource_already_exists_exception"

# Their log records of requests would hold documents.
for _talkative in ("opensearch", "opensearchpy.trace"):
    logging.getLogger(_talkative).setLevel(logging.ERROR)


class OpenSearchCluster:
    """A cluster or a serverless collection, and its OpenSearch Dashboards; requests are signed with the role."""

    def __init__(self, url: str, boards_url: str, service: str, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        """Bind the URLs; nothing is sent yet. `service` is the name that signatures contain: es or aoss."""
        session = boto3.Session()
        sign = Urllib3AWSV4SignerAuth(session.get_credentials(), session.region_name, service)
        self._client = _client(url, sign, timeout_seconds)
        self._boards = _client(boards_url, sign, timeout_seconds)

    def bulk(self, lines: bytes, documents: int) -> Sequence[BulkResult]:
        """Send the lines of so many documents; return one result each, in order."""
        with _understood("bulk"):
            answer = self._client.bulk(body=lines)
        try:
            answers = [_result(item) for item in answer["items"]]
        except (AttributeError, KeyError, TypeError, ValueError, StopIteration):
            raise BusyError("bulk: the answer is not one of the bulk API") from None
        if len(answers) != documents:
            raise BusyError(f"bulk: {len(answers)} answers for {documents} documents")
        return answers

    def put_template(self, name: str, body: dict[str, Any]) -> None:
        """Write an index template, replacing the one of that name."""
        with _understood(f"template {name}"):
            self._client.indices.put_index_template(name=name, body=body)

    def indices(self, pattern: str) -> Sequence[str]:
        """Return the names of all indices of a pattern."""
        with _understood(f"indices {pattern}"):
            try:
                return sorted(self._client.indices.get(index=pattern))
            except NotFoundError:
                return []

    def create_index(self, name: str) -> None:
        """Create an index as its template says; one that is there stays."""
        with _understood(f"index {name}"):
            try:
                self._client.indices.create(index=name)
            except TransportError as error:
                if error.error != _ALREADY_THERE:
                    raise

    def put_mapping(self, name: str, mapping: dict[str, Any]) -> None:
        """Add fields to an index."""
        with _understood(f"mapping of {name}"):
            self._client.indices.put_mapping(index=name, body=mapping)

    def delete_index(self, name: str) -> None:
        """Remove an index with all its documents, unless it is gone."""
        with _understood(f"removal of {name}"):
            self._client.indices.delete(index=name, params={"ignore": 404})

    def put_objects(self, ndjson: bytes) -> None:
        """Write saved objects of Dashboards for all users, replacing those of the same ids."""
        form, form_type = encode_multipart_formdata({"file": ("objects.ndjson", ndjson, "application/ndjson")})
        headers = {"osd-xsrf": "true", "securitytenant": "global", "content-type": form_type}
        with _understood("boards"):
            answer = self._boards.transport.perform_request(
                "POST", "/api/saved_objects/_import", params={"overwrite": "true"}, body=form, headers=headers
            )
        if not isinstance(answer, dict) or not answer.get("success"):
            raise RefusedError(f"boards: not all objects were imported: {_kinds(answer)}")


def _client(url: str, sign: Urllib3AWSV4SignerAuth, timeout_seconds: float) -> OpenSearch:
    place = urlsplit(url)
    secure = place.scheme == "https"
    host = {"host": place.hostname, "port": place.port or (443 if secure else 80), "url_prefix": place.path.strip("/")}
    # Callers repeat requests.
    return OpenSearch(hosts=[host], http_auth=sign, use_ssl=secure, timeout=timeout_seconds, max_retries=0)


@contextmanager
def _understood(step: str) -> Iterator[None]:
    """Turn the library's errors into those of the domain, without what the cluster quotes of a request."""
    try:
        yield
    except NoConnectionError as error:
        raise BusyError(f"{step}: no answer: {type(error.info).__name__}") from None
    except SerializationError:
        raise BusyError(f"{step}: the answer is not JSON") from None
    except TransportError as error:
        said = f"{step}: status {error.status_code}, {error.error}"
        if error.status_code == _TOO_LARGE:
            raise TooLargeError(said) from None
        raise (BusyError if error.status_code in PUT_OFF else RefusedError)(said) from None


def _result(item: dict[str, Any]) -> BulkResult:
    result = next(iter(item.values()))
    error = result.get("error", "")
    return BulkResult(int(result["status"]), str(error.get("type", "unknown") if isinstance(error, dict) else error))


def _kinds(answer: Any) -> str:  # noqa: ANN401 - any JSON
    errors = answer.get("errors", []) if isinstance(answer, dict) else []
    kinds = sorted({str(each.get("error", {}).get("type", "unknown")) for each in errors})
    return ", ".join(kinds) or "no reason given"
