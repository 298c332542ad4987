"""Comparison operators of alarms: what they compare with the lower and the upper limit, and how they are called."""

from __future__ import annotations

from collections.abc import Callable

COMPARISONS: dict[str, Callable[[float, float, float], bool]] = {
    "GreaterThanThreshold": lambda value, _, upper: value > upper,
    "GreaterThanOrEqualToThreshold": lambda value, _, upper: value >= upper,
    "LessThanThreshold": lambda value, lower, _: value < lower,
    "LessThanOrEqualToThreshold": lambda value, lower, _: value <= lower,
    "GreaterThanUpperThreshold": lambda value, _, upper: value > upper,
    "LessThanLowerThreshold": lambda value, lower, _: value < lower,
    "LessThanLowerOrGreaterThanUpperThreshold": lambda value, lower, upper: not lower <= value <= upper,
}
WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
    "GreaterThanUpperThreshold": "above",
    "LessThanLowerThreshold": "below",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside",
}
