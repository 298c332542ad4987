"""The lease of a record: one execution at a time works on it, until it releases it or has ended."""

from collections.abc import Callable
from typing import Protocol, TypeVar


class LeaseLostError(Exception):
    """Another execution has the record now; this one must not go on."""


class Leased(Protocol):
    """A record with the execution that has its lease."""

    @property
    def execution(self) -> str:
        """ARN of the execution."""


class Executions(Protocol):
    """The executions of a state machine."""

    def is_running(self, execution: str) -> bool:
        """Tell whether an execution is still going on."""


Record = TypeVar("Record", bound=Leased)


def acquire(execution: str, claim: Callable[[str], Record], executions: Executions) -> Record | None:
    """Claim a record for an execution, also from one that has ended; return None while another one is running.

    `claim` takes the lease if it is free, this execution's already, or still that of the ended execution it is given;
    it returns the record as it is then, whoever has its lease.
    """
    ended = ""
    while (record := claim(ended)).execution != execution:
        if executions.is_running(record.execution):
            return None
        ended = record.execution
    return record
