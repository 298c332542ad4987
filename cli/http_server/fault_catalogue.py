"""Faults of the connection and of bytes, by name: any application can have them."""

from collections.abc import Callable
from functools import partial
from inspect import getdoc

from cli.http_server import hostile_faults, transport_faults
from cli.http_server.faults import Fault, Target

ON_THE_WIRE: dict[str, Callable[[Target], Fault]] = {
    "server-error": transport_faults.http_error,
    "too-many-requests": transport_faults.too_many_requests,
    "too-many-requests-until": transport_faults.too_many_requests_until,
    "busy": transport_faults.busy,
    "misdirected": transport_faults.misdirected,
    "stalled": transport_faults.stalled,
    "reset": transport_faults.reset,
    "answer-lost": transport_faults.answer_lost,
    "truncated": transport_faults.truncated,
    "malformed": transport_faults.malformed,
    "odd": transport_faults.unexpected_json,
    "html": transport_faults.html_page,
    "huge": transport_faults.huge,
    "redirected": transport_faults.redirected,
    "dripping": hostile_faults.dripping,
    "dripping-head": hostile_faults.dripping_head,
    "provisional": hostile_faults.provisional,
    "header-flood": hostile_faults.header_flood,
    "packed": hostile_faults.packed,
    "packed-twice": hostile_faults.packed_twice,
    "packed-otherwise": hostile_faults.packed_otherwise,
    "absurd-headers": hostile_faults.absurd_headers,
    "absurd-length": hostile_faults.absurd_length,
    "no-http": hostile_faults.no_http,
    "deep-json": hostile_faults.deep_json,
    "many-values": hostile_faults.many_values,
    "huge-numbers": hostile_faults.huge_numbers,
}


def described(make: Callable[..., Fault]) -> str:
    """Return the effect of a fault, in a sentence."""
    if not isinstance(make, partial):
        return getdoc(make) or ""
    return f"{getdoc(make.func)} ({', '.join(map(str, make.args))})"
