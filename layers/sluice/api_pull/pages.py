"""Pages of an endpoint: what a page says, and whether the set of rows stays the same from page to page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sluice.api_pull.model import PullError

BARREN_PAGES = 3
"""Pages in a row without a new key, of a set that should have more: empty ones are its end, others never end."""


class MovedError(Exception):
    """The set of rows changed between two pages; the message says how."""


class Source(Protocol):
    """The application's API."""

    @property
    def retries(self) -> int:
        """Requests that were sent again."""

    def page(self, endpoint: str, number: int, size: int) -> Any:  # noqa: ANN401 - any JSON value
        """Return a page as it was answered. Raises TransientError, AnswerRefusedError."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its number as the server says, its rows, and how many rows and pages there are in all."""

    number: int
    items: list[Any]
    total: int
    pages: int


def read_page(endpoint: str, asked: int, size: int, document: Any) -> Page:  # noqa: ANN401 - any JSON value
    """Read a page. Raises PullError: it is no page."""
    where = f"GET /{endpoint} page={asked} size={size}"
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise PullError(f"{where}: the answer has no list of items: is this the right API? Ask who runs it")
    total, served, said, number = (_count(document.get(name)) for name in ("total", "size", "pages", "page"))
    if total is None:
        raise PullError(f"{where}: the answer says no total, by which changes are noticed. Ask who runs the API")
    pages = max(said or 0, -(-total // (served or size)))
    return Page(asked if number is None else number, document["items"], total, pages)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def keys_of(page: Page, key: str) -> list[Any]:
    """Return the keys of a page's rows, of those that have one."""
    found = (row.get(key) for row in page.items if isinstance(row, dict))
    return [each for each in found if isinstance(each, int | str)]


@dataclass(slots=True)
class PageWatch:
    """Knowledge of a set after some of its pages; `earlier_repeats` are those of the attempt before."""

    total: int | None = None
    rows: int = 0
    barren: int = 0
    keys: set[Any] = field(default_factory=set)
    repeats: set[Any] = field(default_factory=set)

    def take(self, asked: int, page: Page, key: str) -> None:
        """Take in a page.

        Raises:
            MovedError: The set is not what it was; the page counts all the same.
            PullError: Page after page brings nothing new, where there should be more.
        """
        before, found = self.total, keys_of(page, key)
        new = set(found) - self.keys
        repeated = {each for each in found if each in self.keys}
        self.total = page.total
        self.rows += len(page.items)
        self.repeats |= repeated
        self.keys |= new
        self.barren = 0 if new else self.barren + 1
        if self.barren >= BARREN_PAGES and page.items and page.pages > asked:
            raise PullError(
                f"{self.barren} pages up to page {asked} brought no new row, of {page.pages} pages that there are to "
                "be: they may never end. Ask who runs the API"
            )
        if page.number != asked:
            raise MovedError(f"page {page.number} came when page {asked} was asked for")
        if before is not None and page.total != before:
            raise MovedError(f"the total went from {before:,} to {page.total:,} before page {asked}")
        if found and not new:
            raise MovedError(f"page {asked} holds only rows that came before")
        if not page.items and asked < page.pages:
            raise MovedError(f"page {asked} of {page.pages} is empty")

    def assert_pages_differ(self, last: int, page: Page) -> None:
        """Raise PullError where all pages up to the last had the rows of the first, of a set that should have more."""
        if last > 1 and page.items and self.barren >= last - 1 and len(self.keys) < page.total:
            raise PullError(
                f"all {last} pages hold the same {len(self.keys):,} of {page.total:,} rows, whichever is asked for. "
                "Ask who runs the API"
            )

    def finish(self, earlier_repeats: set[Any]) -> None:
        """Compare what came with what was announced.

        The same rows that came twice in two attempts, and not one too few, are the source's own doubles.

        Raises:
            MovedError: Rows are missing, or came twice.
        """
        if self.rows != self.total:
            raise MovedError(f"{self.rows:,} rows came, {self.total or 0:,} were announced")
        if self.repeats and self.repeats != earlier_repeats:
            raise MovedError(f"{len(self.repeats):,} rows came on two pages: others may have been passed over")

    def compare(self, first: Mapping[str, Any], again: Page, key: str) -> None:
        """Compare the first page, asked for `again` at the end, with what it was. Raises MovedError."""
        if again.total != self.total or keys_of(again, key) != first["keys"]:
            raise MovedError("the first page is another one at the end than it was at the begin")
