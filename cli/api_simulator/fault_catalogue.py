"""All faults of the API by the names that the command line takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import replace as changed_copy
from itertools import count

from cli.api_simulator import page_faults, row_faults
from cli.api_simulator.application import KEY_HEADER, Endpoint, Request
from cli.http_server.fault_catalogue import ON_THE_WIRE, described
from cli.http_server.faults import Fault, Target, changed
from cli.http_server.messages import Response, body_response
from cli.http_server.transport_faults import http_error

_TIMES = 2
_FLAKY = 3


def flaky(target: Target) -> Fault:
    """Every third request is answered with 503."""
    number, unlucky = count(1), http_error(Target(target.call))

    def before(application: object, request: Request) -> Response | None:
        is_hit = target.hits(request) and next(number) % _FLAKY == 0
        return unlucky.before(application, request) if is_hit else None

    return Fault(before=before)


def slow(target: Target) -> Fault:
    """Answers come after a fifth of a second."""
    return changed(target, lambda answer: changed_copy(answer, stall=0.2))


def echoed(target: Target) -> Fault:
    """The key that came stands in an error's message."""

    def before(_: object, request: Request) -> Response | None:
        body = f'{{"detail":"not for {request.headers.get(KEY_HEADER, "")}"}}'.encode()
        return body_response(404, body, "application/json") if target.hits(request) else None

    return Fault(before=before)


def gone(target: Target) -> Fault:
    """The endpoint is not there (404)."""
    return http_error(target, 404)


def denied(target: Target) -> Fault:
    """The request is refused (403)."""
    return http_error(target, 403)


_LASTING: dict[str, Callable[[Target], Fault]] = {
    "rows-added": page_faults.rows_added,
    "rows-removed": page_faults.rows_removed,
    "rows-replaced": page_faults.rows_replaced,
    "rows-restless": page_faults.rows_restless,
    "order-restless": page_faults.order_restless,
    "few-rows": page_faults.few_rows,
    "no-rows": page_faults.no_rows,
    "endless": page_faults.endless,
    "endless-same": page_faults.endless_same,
    "page-ignored": page_faults.page_ignored,
    "page-mislabelled": page_faults.page_mislabelled,
    "size-capped": page_faults.size_capped,
    "total-too-high": page_faults.total_too_high,
    "total-too-low": page_faults.total_too_low,
    "total-zero": page_faults.total_is(0),
    "total-negative": page_faults.total_is(-1),
    "total-text": page_faults.total_is("many"),
    "total-null": page_faults.total_is(None),
    "total-absurd": page_faults.total_is(1 << 70),
    "pages-one": page_faults.pages_one,
    "members-missing": page_faults.members_missing,
    "flaky": flaky,
    "slow": slow,
    "gone": gone,
    "denied": denied,
    "key-refused": page_faults.key_refused,
    "key-echoed": echoed,
}
_PASSING: dict[str, Callable[[Target], Fault]] = {
    "page-twice": page_faults.page_twice,
    "page-short": page_faults.page_short,
    "page-long": page_faults.page_long,
    "page-empty": page_faults.page_empty,
    "page-huge": page_faults.page_huge,
    "items-null": page_faults.items_are(None),
    "items-object": page_faults.items_are({"0": {}}),
    "key-rotated": page_faults.key_refused,
    **ON_THE_WIRE,
}


@dataclass(frozen=True, slots=True)
class NamedFault:
    """The effect of a fault, in a sentence, how many requests of its endpoint it hits (all if None), and its maker."""

    description: str
    endpoint: Endpoint
    times: int | None
    make_for: Callable[[Target], Fault]

    def make(self, times: int | None = -1) -> Fault:
        """Return a new fault, for as many requests as usual or as given: faults count them."""
        return self.make_for(Target(self.endpoint, times=self.times if times == -1 else times))


def _catalogue() -> Iterator[tuple[str, NamedFault]]:
    for endpoint in Endpoint:
        for name, make in _LASTING.items():
            yield f"{endpoint}-{name}", NamedFault(described(make), endpoint, None, make)
        for name, make in _PASSING.items():
            text = f"{described(make)} The first {_TIMES} requests."
            yield f"{endpoint}-{name}", NamedFault(text, endpoint, _TIMES, make)
        for name, (text, make) in row_faults.faults_of(endpoint).items():
            yield f"{endpoint}-{name}", NamedFault(text, endpoint, None, make)


CATALOGUE = dict(_catalogue())
"""All faults by name."""


def fault_named(text: str) -> Fault:
    """Return the fault of a name, which may be followed by the number of requests it hits: ``tracks-html:5``, ``:all``.

    Raises:
        ValueError: There is no such fault, or no such number.
    """
    name, _, times = text.partition(":")
    if name not in CATALOGUE:
        raise ValueError(f"There is no fault {name!r}")
    if not times:
        return CATALOGUE[name].make()
    if times != "all" and not (times.isascii() and times.isdigit()):
        raise ValueError(f"{times!r} is no number of requests")
    return CATALOGUE[name].make(None if times == "all" else int(times))
