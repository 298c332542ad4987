"""The fields of a document, the same in every index."""

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Any] = {
    "dynamic": False,
    "properties": {
        "workflow_run_id": {"type": "keyword"},
        "timestamp": {"type": "date"},
        "event_id": {"type": "keyword", "ignore_above": 256},
        "passed": {"type": "boolean"},
        "event_filename": {"type": "keyword", "ignore_above": 1024},
        "service_name": {"type": "keyword", "ignore_above": 256},
        "service_type": {"type": "keyword"},
        "errors": {
            "properties": {
                "reason": {"type": "keyword"},
                "pointer": {"type": "keyword", "ignore_above": 512},
            }
        },
    },
}
