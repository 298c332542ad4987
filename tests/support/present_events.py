"""Events of the present: what tests of age need."""

import json
from datetime import datetime

_KIND = "EFEvaluationEvent"


def present_event(identifier: str, at: datetime, evaluation_id: str | None) -> bytes:
    """An event of the present; without an id for its evaluation it is dirty."""
    milliseconds = int(at.timestamp() * 1000)
    evaluation = {
        "template_ef_version": "1.0",
        "id": evaluation_id,
        "shape_id": "s",
        "timestamp": milliseconds,
        "prediction_id": "p#microthree",
        "reporter": "user",
        "type": "PUBLISH",
        "payload": {"text": "t", "query": None, "medialib": None},
    }
    detail = {"id": identifier, "type": _KIND, "timestamp": milliseconds, "partitionKey": "p", "evaluation": evaluation}
    event = {
        "version": "0",
        "id": identifier,
        "detail-type": _KIND,
        "source": "App.Event.File",
        "account": "123456789012",
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }
    return json.dumps(event).encode()
