"""What every fault is: hooks into the vendor's work, and the requests it hits."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.simulator.content import Content
    from cli.simulator.deliveries import Exports
    from cli.simulator.exchange import Call, Request, Response
    from cli.simulator.timing import Wording
    from cli.simulator.vendor import Vendor

Entry = dict[str, Any]
"""A file in the list of presigned URLs."""


class Fault:
    """Something that goes wrong; every hook leaves things as they are, and a fault overrides what it spoils.

    Attributes:
        skew: By how much the vendor's clock is ahead.
        wording: The sentence that refuses triggers, when not the usual one.
    """

    skew = timedelta()
    wording: Wording | None = None

    def before(self, vendor: Vendor, request: Request) -> Response | None:  # noqa: ARG002 - a hook
        """Answer in the vendor's stead, or do something to it before it answers."""
        return None

    def after(self, request: Request, response: Response) -> Response:  # noqa: ARG002 - a hook
        """Change an answer."""
        return response

    def secrets(self, valid: frozenset[str], next_secret: str) -> frozenset[str]:  # noqa: ARG002 - a hook
        """Change which secrets are valid."""
        return valid

    def exports(self, exports: Exports) -> Exports:
        """Change what a job delivers, when it is triggered."""
        return exports

    def status(self, status: str) -> Any:  # noqa: ANN401 - vendors answer anything
        """Change a job's status."""
        return status

    def entries(self, request: Request, entries: list[Entry]) -> list[Entry]:  # noqa: ARG002 - a hook
        """Change the list of files."""
        return entries

    def content(self, request: Request, content: Content) -> Content:  # noqa: ARG002 - a hook
        """Change what a file holds."""
        return content


@dataclass(slots=True)
class Target:
    """Which requests a fault hits.

    Attributes:
        call: What they ask for.
        file: Pattern of the file's name; requests are counted per file then, and over all files without it.
        after: How many requests it leaves alone first.
        times: How many it hits then; all when None.
    """

    call: Call
    file: str | None = None
    after: int = 0
    times: int | None = None
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self, request: Request) -> bool:
        """Count the request, and tell whether the fault hits it."""
        if request.call != self.call or not fnmatchcase(request.file, self.file or "*"):
            return False
        with self._lock:
            counted = request.file if self.file else ""
            self._seen[counted] += 1
            number = self._seen[counted] - self.after
        return number > 0 and (self.times is None or number <= self.times)
