"""Documents of a JSON API: one request each, with a header from a secret where the server wants one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from sluice.http.answers import (
    DENIALS,
    Answer,
    AnswerRefusedError,
    DeniedError,
    TransientError,
    UnreadableError,
    quoted,
)
from sluice.http.redaction import Redactor
from sluice.http.requests_http import Sender

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


class HeaderSource(Protocol):
    """Keeps the name and the value of a header; an empty name is no header."""

    def current(self) -> tuple[str, ...]:
        """Return them, from memory if they were read before."""

    def renewed(self) -> tuple[str, ...]:
        """Read them again: they may have been rotated."""


@dataclass(frozen=True, slots=True)
class JsonClient:
    """Gets documents from the server at `base_url`; messages begin with path and parameters, and hold no secret."""

    sender: Sender
    base_url: str
    header: HeaderSource | None = None
    redactor: Redactor = field(default_factory=Redactor)

    def get(
        self,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        check: Callable[[Any], None] = lambda _document: None,
    ) -> Any:  # noqa: ANN401 - any JSON value
        """Return a document; `check` raises UnreadableError for one that the next answer may be better than.

        Raises:
            TransientError: The server cannot be reached, is busy, or asks to wait (`retry_after`, in seconds), at all
                attempts; UnreadableError: it answered with something that is no JSON, at all attempts.
            DeniedError: It does not accept the header, or wants one.
            AnswerRefusedError: It answers with an error, a redirect, too many bytes, or a coding that is not read.
        """
        asked = "GET " + path + "".join(f" {name}={value}" for name, value in (parameters or {}).items())
        try:
            answer = self._send(path, parameters, self.header.current() if self.header else (), check)
            if answer.status in DENIALS and self.header:
                answer = self._send(path, parameters, self.header.renewed(), check)
            self._assert_success(answer, with_header=bool(self.header and self.header.current()[0]))
        except (TransientError, AnswerRefusedError) as error:
            error.args = (f"{asked}: {error}",)
            raise
        return answer.document()

    def _send(
        self,
        path: str,
        parameters: Mapping[str, str | int] | None,
        header: tuple[str, ...],
        check: Callable[[Any], None],
    ) -> Answer:
        request = httpx.Request("GET", f"{self.base_url.rstrip('/')}{path}", params=parameters)
        if header and header[0]:
            name, value = header
            if not all(text.isascii() and text.isprintable() for text in header):
                raise DeniedError("the header of the secret is not plain ASCII: put its name and value into it")
            self.redactor.learn(value)
            request.headers[name] = value

        def check_answer(answer: Answer) -> None:
            if not answer.is_success:
                return
            document = answer.document()
            if document is None:
                raise UnreadableError(
                    f"{self.sender.server} answered {answer.status} without JSON{self._begin(answer)}"
                )
            check(document)

        return self.sender.send(request, most_bytes=MAX_DOCUMENT_BYTES, check=check_answer)

    def _assert_success(self, answer: Answer, *, with_header: bool) -> None:
        if answer.is_success:
            return
        happened = f"{self.sender.server} answered {answer.status}"
        if answer.status in DENIALS and answer.retry_after is not None:
            raise TransientError(f"{happened} and asks to wait", answer.retry_after)
        if answer.status in DENIALS and with_header:
            raise DeniedError(f"{happened}: it does not accept the header of the secret, which was read again")
        if answer.status in DENIALS:
            raise DeniedError(f"{happened}: it wants a header, or refuses this address")
        if httpx.codes.is_redirect(answer.status):
            raise AnswerRefusedError(f"{happened}: redirects are not followed")
        sentence = answer.sentence()
        raise AnswerRefusedError(f'{happened}: "{quoted(sentence, self.redactor)}"' if sentence else happened)

    def _begin(self, answer: Answer) -> str:
        begin = quoted(answer.body[:80].decode(errors="replace"), self.redactor).strip()
        return f', but "{begin}"' if begin else ""
