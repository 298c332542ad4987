"""What Step Functions hands on of a function that failed."""

import json


def plain_cause(cause: str) -> str:
    """Return the sentence inside a Lambda error document, which is JSON text; any other text as it is."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage") or cause) if isinstance(document, dict) else cause
