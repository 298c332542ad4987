"""Types that the settings of a stage are made of."""

from dataclasses import dataclass
from enum import StrEnum

MEBIBYTE = 1024 * 1024


class StageKind(StrEnum):
    """A kind of stage; FEATURE stands for every name that is none of the others."""

    LOCAL = "local"
    FEATURE = "feature"
    DEV = "dev"
    INT = "int"
    PRD = "prd"

    @property
    def by_hand(self) -> bool:
        """Tell whether everything on the stage is started by hand: it has no schedules."""
        return self in {StageKind.LOCAL, StageKind.FEATURE}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSize:
    """Limits of a Lambda function.

    `reserved_concurrency` takes its share out of the account's pool and caps the function; None leaves it in the pool.
    """

    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """Batches of a queue's messages: a call waits for so many, but no longer than the window.

    `max_concurrency` is the number of calls at a time, at least 2.
    """

    messages: int
    window_seconds: int
    max_concurrency: int
