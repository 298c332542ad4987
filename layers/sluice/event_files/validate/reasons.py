"""Why bytes of an event file are dirty."""

from enum import StrEnum


class Reason(StrEnum):
    """The reason code of a dirty record, one per record."""

    RULE_BROKEN = "RULE_BROKEN"  # the event breaks its contract
    NO_CONTRACT = "NO_CONTRACT"  # a known family, but no contract for this service and kind
    NO_IDENTIFIER = "NO_IDENTIFIER"  # a known family, but neither kind nor service of origin can be told
    NOT_AN_EVENT = "NOT_AN_EVENT"  # a JSON object without a source
    INVALID_JSON = "INVALID_JSON"  # looks like an object, but no JSON parser may accept it
    TOO_LARGE = "TOO_LARGE"  # one event larger than an event may be
    FRAGMENT = "FRAGMENT"  # bytes that are no event: damage, garbage, separators, a flood of small objects
    TRUNCATED_GZIP = "TRUNCATED_GZIP"  # the compressed file ends early or is damaged; what came before was read
    FILE_TOO_LARGE = "FILE_TOO_LARGE"  # larger than a file may be, or than one commit takes; nothing of it was taken in
