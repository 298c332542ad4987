"""Formats of texts, each as a pattern: so they are checked wherever patterns are, by every validator alike."""

_END = r"(?![\s\S])"  # some dialects let $ match before a final newline

_DATE = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_CLOCK = r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_TIME = rf"{_CLOCK}(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])|23:59:60(?:\.[0-9]+)?(?:[Zz]|[+-]00:00))"
_DAYS = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
_HOURS = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_LAST_32 = f"(?:{_GROUP}:{_GROUP}|{_IPV4})"
_IPV6 = "|".join(
    (
        f"(?:{_GROUP}:){{6}}{_LAST_32}",
        f"::(?:{_GROUP}:){{5}}{_LAST_32}",
        *(f"(?:(?:{_GROUP}:){{0,{n}}}{_GROUP})?::(?:{_GROUP}:){{{4 - n}}}{_LAST_32}" for n in range(5)),
        f"(?:(?:{_GROUP}:){{0,5}}{_GROUP})?::{_GROUP}",
        f"(?:(?:{_GROUP}:){{0,6}}{_GROUP})?::",
    )
)
_ATOM = r"[A-Za-z0-9!#\x24%&'*+/=?^_`{|}~-]+"
_UNRESERVED = r"A-Za-z0-9._~!\x24&'()*+,;="
_CHAR = f"(?:[{_UNRESERVED}:@-]|%[0-9A-Fa-f]{{2}})"
_AUTHORITY = (
    f"(?:(?:[{_UNRESERVED}:-]|%[0-9A-Fa-f]{{2}})*@)?"
    rf"(?:\[(?:{_IPV6})\]|(?:[{_UNRESERVED}-]|%[0-9A-Fa-f]{{2}})*)(?::[0-9]*)?"
)
_REST = rf"(?:\?(?:{_CHAR}|[/?])*)?(?:#(?:{_CHAR}|[/?])*)?"

_PATTERNS = {
    "date-time": f"{_DATE}[Tt]{_TIME}",
    "date": _DATE,
    "time": _TIME,
    "duration": f"P(?:[0-9]+W|{_DAYS}(?:{_HOURS})?|{_HOURS})",
    "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "email": rf"{_ATOM}(?:\.{_ATOM})*@(?:{_HOST}|\[{_IPV4}\])",
    "hostname": rf"(?=[A-Za-z0-9.-]{{1,253}}{_END}){_HOST}",
    "ipv4": _IPV4,
    "ipv6": f"(?:{_IPV6})",
    "uri": f"[A-Za-z][A-Za-z0-9+.-]*:(?://{_AUTHORITY}(?:/{_CHAR}*)*|/?(?:{_CHAR}+(?:/{_CHAR}*)*)?){_REST}",
}

FORMATS = {name: f"^{pattern}{_END}" for name, pattern in _PATTERNS.items()}
"""The pattern of each format that is checked."""
