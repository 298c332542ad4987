"""The four calls of the vendor's API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from sluice.http.answers import DENIALS, Answer, quoted
from sluice.http.requests_http import never
from sluice.vendor_exports.client.api import (
    MAX_FILES,
    Accepted,
    AnswerNotUnderstoodError,
    Environment,
    JobReport,
    JobStatus,
    JobUnknownError,
    ListedFile,
    Refused,
    VendorUnavailableError,
    listed_files,
)
from sluice.vendor_exports.client.connection_http import MAX_LIST_BYTES, Connection, Tokens, refused
from sluice.vendor_exports.client.next_allowed import next_allowed, speaks_of_waiting

_UNKNOWN_JOB = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND, httpx.codes.GONE})
_SUPPORT = "Ask the vendor's support."
_LONGEST_GUID = 200  # characters of ASCII; every file carries it in S3's metadata, which have 2 KB


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs of the vendor's three services, without a slash at the end, and our company's name in its paths."""

    auth: str
    export: str
    files: str
    company: str


@dataclass(frozen=True, slots=True)
class VesonClient:
    """Calls the vendor's API for one slot; raises VendorError. `clock` is for answers without a Date header."""

    connection: Connection
    endpoints: Endpoints
    tokens: Tokens
    clock: Callable[[], datetime]

    def trigger(self, environment: Environment) -> Accepted | Refused:
        """Ask for a job. The vendor allows one an hour."""
        answer = self._post("trigger", "export", {"configName": environment.config_name}, self._is_refusal)
        guid = answer.text("JobGuid")
        if answer.is_success and guid and self._is_guid(guid):
            return Accepted(guid)
        sentence = answer.sentence()
        if answer.is_success or sentence is None:
            raise self._not_understood("trigger", answer)
        seconds = self._seconds_until(sentence, answer)
        return Refused(answer.retry_after if seconds is None else seconds, self._quoted(sentence))

    def status(self, job_guid: str) -> JobReport:
        """Ask for the status of a job."""
        answer = self._post("status", "CheckJobStatus", {"jobGuid": job_guid})
        self._assert_known("status", answer)
        word = answer.word("JobStatus")
        if not answer.is_success or word is None:
            raise self._not_understood("status", answer)
        return JobReport(JobStatus.of(word), self._quoted(word))

    def files(self, environment: Environment, job_guid: str, minutes: int) -> list[ListedFile]:
        """Ask for the job's files, with presigned URLs that live for so many minutes."""
        answer = self._list(environment, job_guid, minutes, self.tokens.secret())
        if answer.status in DENIALS:
            answer = self._list(environment, job_guid, minutes, self.tokens.secret(renewed=True))
        self._assert_not_denied("files", answer)
        self._assert_known("files", answer)
        if answer.status == httpx.codes.NO_CONTENT:
            return []
        listed = listed_files(answer.document(), self.tokens.redactor) if answer.is_success else None
        if listed is None:
            raise self._not_understood("files", answer)
        if len(listed) > MAX_FILES:
            happened = f"the vendor listed {len(listed)} files, more than the {MAX_FILES} that a job may have here"
            raise AnswerNotUnderstoodError(self.connection.slot, "files", happened, _SUPPORT)
        return listed

    def _is_guid(self, text: str) -> bool:
        is_plain = text.isascii() and text.isprintable()
        return len(text) <= _LONGEST_GUID and is_plain and not self.tokens.redactor.holds(text)

    def _list(self, environment: Environment, job_guid: str, minutes: int, api_token: str) -> Answer:
        parameters: dict[str, Any] = {
            "apiToken": api_token,
            "environmentType": environment.value,
            "jobGuid": job_guid,
            "fileFilter": "*",
            "hideMetaData": "False",
            "expirationInMinutes": minutes,
        }
        url = f"{self.endpoints.files}/v1/datalake/presignedUrls/{self.endpoints.company}"
        return self.connection.send("files", httpx.Request("GET", url, params=parameters), most_bytes=MAX_LIST_BYTES)

    def _post(
        self, step: str, call: str, document: dict[str, str], is_answer: Callable[[Answer], bool] = never
    ) -> Answer:
        """Send a request with a token; once more with a new one when the vendor does not accept it any more."""
        answer = self._post_once(step, call, document, is_answer)
        if answer.status in DENIALS and not is_answer(answer):
            self.tokens.drop()
            answer = self._post_once(step, call, document, is_answer)
        if not is_answer(answer):
            self._assert_not_denied(step, answer)
        return answer

    def _post_once(self, step: str, call: str, document: dict[str, str], is_answer: Callable[[Answer], bool]) -> Answer:
        url = f"{self.endpoints.export}/api/datalake/v1/{call}"
        headers = {"Authorization": f"Bearer {self.tokens.token(self.connection)}"}
        return self.connection.send(step, httpx.Request("POST", url, json=document, headers=headers), is_answer)

    def _assert_not_denied(self, step: str, answer: Answer) -> None:
        """Raise where the vendor refuses new credentials, too, unless it says by such a status that it is too early."""
        sentence = answer.sentence() or ""
        if answer.status not in DENIALS or speaks_of_waiting(sentence):
            return
        if answer.retry_after is not None:
            happened = f"the vendor answered {answer.status} and asks to wait"
            raise VendorUnavailableError(self.connection.slot, step, happened, _SUPPORT, retry_after=answer.retry_after)
        raise refused(self.connection.slot, step, answer.status, self._quoted(sentence))

    def _assert_known(self, step: str, answer: Answer) -> None:
        if answer.status in _UNKNOWN_JOB:
            advice = "A run within the slot's hour triggers another job."
            happened = f"the vendor answered {answer.status}: it does not know the job, or not any more"
            raise JobUnknownError(self.connection.slot, step, happened, advice)

    def _is_refusal(self, answer: Answer) -> bool:
        """Tell whether an answer refuses a job until a time; it may come with any status."""
        sentence = answer.sentence()
        if sentence is None:
            return False
        is_too_early = answer.retry_after is not None and httpx.codes.is_client_error(answer.status)
        if answer.status == httpx.codes.TOO_MANY_REQUESTS or (is_too_early and answer.status not in DENIALS):
            return True
        return self._seconds_until(sentence, answer) is not None

    def _seconds_until(self, sentence: str, answer: Answer) -> float | None:
        now = answer.sent_at or self.clock()
        allowed = next_allowed(sentence, now)
        return None if allowed is None else max(0.0, (allowed - now).total_seconds())

    def _quoted(self, text: str) -> str:
        return quoted(text, self.tokens.redactor)

    def _not_understood(self, step: str, answer: Answer) -> AnswerNotUnderstoodError:
        message = answer.sentence()
        said = f': "{self._quoted(message)}"' if message else " with something else than its interface says"
        return AnswerNotUnderstoodError(
            self.connection.slot, step, f"the vendor answered {answer.status}{said}", _SUPPORT
        )
