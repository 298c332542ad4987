"""Alarms on what a person has to act on, each with what to do; one composite per pipeline pages for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.platform.observability.console import dashboard_name, dashboard_page
from infra.platform.observability.on_aws import OnAws
from infra.stage import Stage

Missing = cloudwatch.TreatMissingData


@dataclass(frozen=True, slots=True)
class Periods:
    """An alarm goes on when `breaching` of the latest `looked_at` periods are beyond its threshold."""

    breaching: int
    looked_at: int


AT_ONCE = Periods(1, 1)
LASTING = Periods(2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a person who is woken reads: what it means, the first three things to do, and where to look."""

    meaning: str
    steps: tuple[str, str, str]
    console: str
    query: str


class Alarms(Construct):
    """The alarms of one pipeline. `raised` are those made so far."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, on_aws: OnAws) -> None:
        """Begin with none."""
        super().__init__(scope, construct_id)
        self.stage = stage
        self.raised: list[cloudwatch.AlarmBase] = []
        self._on_aws = on_aws

    def above(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        advice: Advice,
        *,
        periods: Periods = LASTING,
        missing: Missing = Missing.NOT_BREACHING,
    ) -> None:
        """Raise an alarm when the metric is above a threshold."""
        self._raise(name, metric, threshold, advice, periods, missing, _Comparison.GREATER_THAN_THRESHOLD)

    def below(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        advice: Advice,
        *,
        periods: Periods,
        missing: Missing,
    ) -> None:
        """Raise an alarm when the metric is below a threshold."""
        self._raise(name, metric, threshold, advice, periods, missing, _Comparison.LESS_THAN_THRESHOLD)

    def unusual(self, name: str, metric: cloudwatch.IMetric, deviations: float, advice: Advice) -> None:
        """Raise an alarm when the metric is more standard deviations above what it is at this time of the week."""
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self,
            name,
            alarm_name=self._full(name),
            metric=metric,
            std_devs=deviations,
            comparison_operator=_Comparison.GREATER_THAN_UPPER_THRESHOLD,
            evaluation_periods=LASTING.looked_at,
            datapoints_to_alarm=LASTING.breaching,
            treat_missing_data=Missing.NOT_BREACHING,
            alarm_description=self._describe(name, advice),
        )
        self._keep(alarm)

    def page(self, name: str, topic: sns.ITopic) -> cloudwatch.CompositeAlarm:
        """Make the composite that is on while any alarm is; it alone tells people, when it goes on and off."""
        rule = " OR ".join(f'ALARM("{alarm.alarm_name}")' for alarm in self.raised)
        composite = cloudwatch.CompositeAlarm(
            self,
            "Composite",
            composite_alarm_name=self._full(name),
            alarm_rule=cloudwatch.AlarmRule.from_string(rule),
            alarm_description=(
                f"Something of {name} needs a person: the alarms that are on say what, and what to do.\n\n"
                f"Dashboard: {dashboard_page(dashboard_name(self.stage, 'Operations'))}"
            ),
        )
        if self.stage.watch.pages:
            action = actions.SnsAction(topic)
            composite.add_alarm_action(action)
            composite.add_ok_action(action)
        self._on_aws.only(composite)
        return composite

    def _raise(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        advice: Advice,
        periods: Periods,
        missing: Missing,
        comparison: cloudwatch.ComparisonOperator,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=self._full(name),
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods.looked_at,
            datapoints_to_alarm=periods.breaching,
            treat_missing_data=missing,
            alarm_description=self._describe(name, advice),
        )
        self._keep(alarm)

    def _full(self, name: str) -> str:
        return f"{self.stage.stack_prefix}-{name}"

    def _keep(self, alarm: cloudwatch.AlarmBase) -> None:
        self._on_aws.only(alarm)
        self.raised.append(alarm)

    def _describe(self, name: str, advice: Advice) -> str:
        steps = [f"{number}. {step}" for number, step in enumerate(advice.steps, start=1)]
        links = [
            f"Console: {advice.console}",
            f"Query: {advice.query}",
            f"Runbook: {self.stage.watch.runbook}#{anchor(name)}",
        ]
        return "\n".join([advice.meaning, "", *steps, "", *links])


def anchor(name: str) -> str:
    """The anchor of an alarm's heading in the runbook: FilesWaiting is ``fileswaiting`` as GitHub makes it."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_Comparison = cloudwatch.ComparisonOperator
