"""Rules of composite alarms."""

import pytest

from tests.support.cloudwatch.definitions import Alarms, CompositeAlarm
from tests.support.cloudwatch.evaluation import evaluate
from tests.support.cloudwatch.rules import RuleError, holds
from tests.support.cloudwatch.series import Series
from tests.support.cloudwatch.unit.alarm_cases import NOW, alarm, laid

STATES = {"rings": "ALARM", "rests": "OK", "new": "INSUFFICIENT_DATA"}
RINGS, RESTS = 'ALARM("rings")', 'ALARM("rests")'


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (RINGS, True),
        (RESTS, False),
        ("ALARM(rings)", True),
        ("ALARM('arn:aws:cloudwatch:eu-west-1:1:alarm:rings')", True),
        ('OK("rests")', True),
        ('OK("rings")', False),
        ('INSUFFICIENT_DATA("new")', True),
        (f"NOT {RINGS}", False),
        (f"{RINGS} AND {RESTS}", False),
        (f"{RESTS} OR {RINGS}", True),
        (f"{RINGS} OR {RINGS} AND {RESTS}", True),
        (f"({RINGS} OR {RINGS}) AND {RESTS}", False),
        (f"NOT {RESTS} AND {RINGS}", True),
        (f"NOT ({RESTS} OR {RINGS})", False),
        (f"(({RINGS}))", True),
        ("TRUE AND NOT FALSE", True),
    ],
)
def test_a_rule(rule: str, found: bool) -> None:
    assert holds(rule, STATES.__getitem__) is found


@pytest.mark.parametrize("rule", ["", "ALARM()", f"{RINGS} {RESTS}", f"({RINGS}", "AND", f"{RINGS} OR", "ALARM(a b)"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(RuleError):
        holds(rule, STATES.__getitem__)


def test_composites_follow_their_children_and_each_other() -> None:
    whole = CompositeAlarm("Whole", "Whole", 'ALARM("Part")')
    part = CompositeAlarm("Part", "Part", 'ALARM("Files")')
    cases = ((9.0, "ALARM", "on: Files"), (1.0, "OK", "none of its alarms is on"))
    for value, state, reason in cases:
        found = evaluate(Alarms((alarm(),), (whole, part)), Series(laid(value)), NOW)
        assert {each.name: each.state for each in found} == dict.fromkeys(("Files", "Whole", "Part"), state)
        assert found[-1].reason == reason
