"""Extraction of an endpoint: page after page into the lake, started over while its rows move."""

import gzip
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from sluice.api_pull.model import Pull, PullError, RawPart
from sluice.api_pull.pages import BARREN_PAGES, MovedError, Page, PageWatch, Source, keys_of, read_page
from sluice.api_pull.progress import AGAIN, EXTRACTED, WAIT, ExtractProgress
from sluice.http.answers import AnswerRefusedError, TransientError
from sluice.http.patience import Patience
from sluice.lake.object_store import ObjectStore

_ATTEMPTS = 3  # at an answer that is JSON and no page
_MOST_REPEATS = 100_000  # keys that are remembered from one attempt to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of an extraction, of all its attempts together but for the pages, which are those of one."""

    page_size: int
    part_bytes: int
    max_pages: int
    max_bytes: int
    max_seconds: int
    restarts: int


def raw_pages(body: bytes) -> list[Any]:
    """Return the pages of a raw object."""
    return [orjson.loads(line) for line in gzip.decompress(body).splitlines()]


@dataclass(slots=True)
class _Buffer:
    """Pages that are not written yet."""

    first_page: int
    lines: list[bytes] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def add(self, line: bytes, rows: int) -> None:
        self.lines.append(line)
        self.rows += rows
        self.size += len(line)


class Extraction:
    """Extracts one endpoint of a pull, as many pages as a call has time for."""

    def __init__(
        self,
        pull: Pull,
        endpoint: str,
        key: str,
        *,
        source: Source,
        lake: ObjectStore,
        limits: Limits,
        patience: Patience,
        token: str,
    ) -> None:
        """Bind the endpoint, whose rows have a `key`; the `token` keeps the objects of this call apart from others."""
        self._pull = pull
        self._endpoint = endpoint
        self._key = key
        self._source = source
        self._lake = lake
        self._limits = limits
        self._patience = patience
        self._token = token

    def proceed(
        self, progress: ExtractProgress, has_time: Callable[[], bool], clock: Callable[[], float]
    ) -> ExtractProgress:
        """Return the progress after as many pages as there is time for.

        Raises:
            PullError: The endpoint cannot be extracted: it refuses, never ends, or is larger than it may be.
        """
        began, retries = clock(), self._source.retries
        progress = replace(progress, next_step=AGAIN, wait_seconds=0)
        try:
            while progress.next_step == AGAIN and has_time():
                progress = self._attempt(progress, has_time)
        except AnswerRefusedError as error:
            raise PullError(f"{error}. Ask who runs the API; the next pull tries again") from error
        seconds = progress.seconds + clock() - began + progress.wait_seconds
        if seconds > self._limits.max_seconds:
            raise PullError(f"/{self._endpoint} took more than {self._limits.max_seconds:,} s. {progress.note}".strip())
        return replace(progress, retries=progress.retries + self._source.retries - retries, seconds=round(seconds, 3))

    def _attempt(self, progress: ExtractProgress, has_time: Callable[[], bool]) -> ExtractProgress:
        """Go on with an attempt until it is done, rows move, the source is busy, or time is over."""
        watch = self._watch(progress)
        tolerant = progress.attempt > self._limits.restarts
        buffer = _Buffer(progress.next_page)
        try:
            while has_time():
                asked = progress.next_page
                page, line = self._ask(asked)
                buffer.add(line, len(page.items))
                progress = self._counted(progress, page, line)
                moved = self._moved(lambda: watch.take(asked, page, self._key))  # noqa: B023 - called at once
                is_end = asked >= page.pages or (not page.items and watch.barren >= BARREN_PAGES)
                if is_end:
                    moved = self._moved(lambda: self._finish(progress, watch)) or moved  # noqa: B023
                if moved:
                    progress = replace(progress, note=moved, has_moved=True)
                    if not tolerant:
                        return self._started_over(self._flushed(progress, buffer), watch)
                if is_end:
                    watch.assert_pages_differ(asked, page)
                    return replace(self._flushed(progress, buffer), next_step=EXTRACTED, is_union=progress.has_moved)
                if buffer.size >= self._limits.part_bytes:
                    progress, buffer = self._flushed(progress, buffer), _Buffer(progress.next_page)
        except TransientError as error:
            return self._waiting(self._flushed(progress, buffer), error)
        except PullError as error:
            raise PullError(f"{error}. {progress.note}".rstrip(" .")) from error
        return self._flushed(progress, buffer)

    def _watch(self, progress: ExtractProgress) -> PageWatch:
        """Return what the pages of this attempt said so far, which are read again from the lake."""
        watch = PageWatch()
        for part in progress.current_parts:
            for at, document in enumerate(raw_pages(self._lake.read(part.key)), part.first_page):
                page = read_page(self._endpoint, at, self._limits.page_size, document)
                self._moved(lambda: watch.take(at, page, self._key))  # noqa: B023 - called at once
        return watch

    def _ask(self, number: int) -> tuple[Page, bytes]:
        """Return a page; what is no page is asked for again, for it may be an error that passes."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(PullError):
                return self._ask_once(number)
        return self._ask_once(number)

    def _ask_once(self, number: int) -> tuple[Page, bytes]:
        document = self._source.page(self._endpoint, number, self._limits.page_size)
        return read_page(self._endpoint, number, self._limits.page_size, document), orjson.dumps(document)

    def _counted(self, progress: ExtractProgress, page: Page, line: bytes) -> ExtractProgress:
        """Count a page. Raises PullError: there are too many, or too many bytes."""
        limits = self._limits
        if progress.next_page > limits.max_pages:
            raise PullError(
                f"/{self._endpoint} has more than {limits.max_pages:,} pages: they may never end. "
                "If they do, raise max_pages of the stage"
            )
        if progress.bytes + len(line) > limits.max_bytes:
            raise PullError(
                f"/{self._endpoint} has more than {limits.max_bytes:,} bytes at page {progress.next_page:,}. "
                "If that is right, raise max_bytes of the stage"
            )
        return replace(
            progress,
            next_page=progress.next_page + 1,
            pages=progress.pages + 1,
            bytes=progress.bytes + len(line),
            waited_seconds=0,
            first=progress.first or {"total": page.total, "keys": keys_of(page, self._key)},
        )

    def _finish(self, progress: ExtractProgress, watch: PageWatch) -> None:
        """Compare all pages with what was announced, and the first page with what it is now. Raises MovedError."""
        watch.finish(set(progress.repeats))
        if progress.next_page > 2:  # noqa: PLR2004 - there is a second page
            with suppress(TransientError):  # all pages are there: a busy source is not waited for once more
                watch.compare(progress.first, self._ask(1)[0], self._key)

    @staticmethod
    def _moved(look: Callable[[], None]) -> str:
        try:
            look()
        except MovedError as error:
            return str(error)
        return ""

    def _started_over(self, progress: ExtractProgress, watch: PageWatch) -> ExtractProgress:
        repeats = tuple(watch.repeats) if len(watch.repeats) <= _MOST_REPEATS else ()
        return replace(progress, attempt=progress.attempt + 1, next_page=1, repeats=repeats, first={}, has_moved=False)

    def _flushed(self, progress: ExtractProgress, buffer: _Buffer) -> ExtractProgress:
        """Write the pages that came, and return the progress with them."""
        if not buffer.lines:
            return progress
        name = f"{progress.attempt}-{len(progress.parts):05}-{self._token}"
        key = self._pull.raw_key(self._endpoint, name)
        self._lake.write(key, packed(buffer.lines))
        part = RawPart(key, progress.attempt, buffer.first_page, len(buffer.lines), buffer.rows, buffer.size)
        return replace(progress, parts=(*progress.parts, part))

    def _waiting(self, progress: ExtractProgress, error: TransientError) -> ExtractProgress:
        """Return the progress with a wait. Raises PullError: there is no patience left."""
        wait = self._patience.wait(error.retry_after, progress.waited_seconds)
        if wait is None:
            waited = f"after {progress.waited_seconds:,} s of waiting" if progress.waited_seconds else "for now"
            raise PullError(f"{error} ({waited}). Is the API well? The next pull tries again") from error
        waited_seconds = progress.waited_seconds + wait
        return replace(progress, next_step=WAIT, wait_seconds=wait, waited_seconds=waited_seconds)


def packed(lines: Iterable[bytes]) -> bytes:
    """Return lines with gzip; the same lines are the same bytes."""
    return gzip.compress(b"\n".join(lines), compresslevel=1, mtime=0)
