"""What is expected of a metric: an approximation of CloudWatch's anomaly detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from cli.alarms.series import Vector

FUNCTION = "ANOMALY_DETECTION_BAND"
HISTORY_SECONDS = 14 * 86_400
LEAST_HISTORY = 24  # periods with data


@dataclass(frozen=True, slots=True)
class Band:
    """What values are expected, period by period."""

    lower: Vector
    upper: Vector


def band(series: Vector, width: float, period: int) -> Band:
    """The band of each period: mean ± `width` standard deviations of the periods before it.

    An approximation: CloudWatch's models also know hours, weekdays and trends.
    """
    longest = HISTORY_SECONDS // period
    limits = [_limits(series[max(0, end - longest) : end], width) for end in range(len(series))]
    return Band(tuple(lower for lower, _ in limits), tuple(upper for _, upper in limits))


def _limits(history: Sequence[float | None], width: float) -> tuple[float, float] | tuple[None, None]:
    known = [value for value in history if value is not None]
    if len(known) < LEAST_HISTORY:
        return None, None
    middle, spread = fmean(known), pstdev(known)
    return middle - width * spread, middle + width * spread
