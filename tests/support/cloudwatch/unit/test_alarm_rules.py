"""Rules of composite alarms."""

import pytest

from tests.support.cloudwatch.definitions import Alarms, CompositeAlarm
from tests.support.cloudwatch.evaluation import RuleError, alarms_in, evaluate
from tests.support.cloudwatch.series import Series
from tests.support.cloudwatch.unit.alarm_cases import NOW, alarm, laid


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ('ALARM("one")', ["one"]),
        ('ALARM("arn:aws:cloudwatch:eu-west-1:1:alarm:one")', ["one"]),
        ('(ALARM("one") OR ALARM("two") OR (ALARM("three")))', ["one", "two", "three"]),
    ],
)
def test_the_alarms_of_a_rule(rule: str, names: list[str]) -> None:
    assert alarms_in(rule) == names


@pytest.mark.parametrize("rule", ['ALARM("a") AND ALARM("b")', 'NOT ALARM("a")', 'OK("a")', "ALARM(a)", "TRUE"])
def test_other_rules_are_refused(rule: str) -> None:
    with pytest.raises(RuleError):
        alarms_in(rule)


def test_composites_follow_their_children_and_each_other() -> None:
    whole = CompositeAlarm("Whole", "Whole", 'ALARM("Part")')
    part = CompositeAlarm("Part", "Part", 'ALARM("Files")')
    for value, state in ((9.0, "ALARM"), (1.0, "OK")):
        found = evaluate(Alarms((alarm(),), (whole, part)), Series(laid(value)), NOW)
        assert found == dict.fromkeys(("Files", "Whole", "Part"), state)
