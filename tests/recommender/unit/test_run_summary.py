"""How an inference ended is told by its last decision."""

from typing import Any

import pytest

from sluice.recommender.run_summary import decision_of

BEGUN: dict[str, Any] = {"decision": "infer", "inference": {}}
EXTRACTED = {**BEGUN, "extracted": {"decision": "infer"}}


@pytest.mark.parametrize(
    ("output", "decision"),
    [
        ({}, ""),
        ({"decision": "done"}, "done"),
        (BEGUN, "infer"),
        ({**BEGUN, "extracted": {"decision": "overtaken"}}, "overtaken"),
        ({**EXTRACTED, "loaded": {"turn": 0}}, "infer"),
        ({**EXTRACTED, "loaded": {"turn": 1, "is_over": True, "is_shown": True}}, "infer"),
        ({**EXTRACTED, "loaded": {"turn": 1, "is_over": True, "is_shown": False}}, "overtaken"),
    ],
)
def test_the_last_decision_counts(output: dict[str, Any], decision: str) -> None:
    assert decision_of(output) == decision
