"""What is expected of a metric: an approximation of CloudWatch's anomaly detection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from tests.support.cloudwatch.series import Vector

FUNCTION = "ANOMALY_DETECTION_BAND"
HISTORY_SECONDS = 14 * 86_400
LEAST_HISTORY = 24  # periods with data


@dataclass(frozen=True, slots=True)
class Band:
    """What is expected of each period: mean ± `width` standard deviations of the periods before it.

    CloudWatch's models also know hours, weekdays and trends.
    """

    series: Vector
    width: float
    period: int

    def limits(self, count: int) -> tuple[Vector, Vector]:
        """The lower and the upper ends of the last `count` periods; None where too little is known before them."""
        found = [self._limits(place) for place in range(len(self.series) - count, len(self.series))]
        return tuple(lower for lower, _ in found), tuple(upper for _, upper in found)

    def _limits(self, place: int) -> tuple[float, float] | tuple[None, None]:
        first = max(0, place - HISTORY_SECONDS // self.period)
        known = [value for value in self.series[first:place] if value is not None]
        if len(known) < LEAST_HISTORY:
            return None, None
        middle = fmean(known)
        spread = math.sqrt(fmean((value - middle) ** 2 for value in known))
        return middle - self.width * spread, middle + self.width * spread
