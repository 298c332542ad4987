"""Run a state machine and wait for its end."""

import getpass
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.platform.console import CliError
from cli.platform.session import Deployment
from sluice.runs.execution_events import plain_cause
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
from sluice.runs.recording import console_link

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_ENDS = "`sluice status` shows how it ends."


@dataclass(frozen=True, slots=True)
class Outcome:
    """An execution that has ended, by its ARN.

    When it failed, `output` is the input of the state that failed, and `end` is the Fail state that ended it.
    """

    execution: str
    succeeded: bool
    output: dict[str, Any]
    state: str = ""
    cause: str = ""
    end: str = ""


def link(deployment: Deployment, outcome: Outcome) -> str:
    """Return the console's address of an execution; its ARN in the local cloud, which has no console."""
    return outcome.execution if deployment.local else console_link(outcome.execution)


def polls(timeout: float, longest: float = 3.0) -> Iterator[None]:
    """Yield again and again, after ever longer pauses, until `timeout` seconds have passed."""
    end, pause = time.monotonic() + timeout, 0.2
    while time.monotonic() < end:
        yield
        time.sleep(pause)
        pause = min(pause * 1.3, longest)


def run(
    client: "SFNClient",
    machine: str,
    timeout: float,
    document: dict[str, Any] | None = None,
    watch: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Start an execution with `document` and the operator's name as its input, and wait for its end.

    While it runs, `watch` is called with its ARN.

    Raises:
        CliError: It still runs after `timeout` seconds; it is left running.
    """
    given = json.dumps({"started_by": f"hand: {_user()}", **(document or {})})
    execution = client.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    try:
        for _ in polls(timeout):
            found = client.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return _outcome(client, execution, dict(found))
            watch(execution)
    except KeyboardInterrupt:
        raise CliError(f"Interrupted; the execution goes on by itself: {execution}", _ENDS) from None
    raise CliError(f"The execution still runs after {timeout:.0f} s: {execution}", f"{_ENDS} --timeout waits longer.")


def wait_for_others(client: "SFNClient", machine: str, timeout: float) -> bool:
    """Wait until no execution of the machine runs; return False when one still does after `timeout` seconds."""
    for _ in polls(timeout):
        if not client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)["executions"]:
            return True
    return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # a user without a name, as in some containers
        return "unknown"


def _outcome(client: "SFNClient", execution: str, found: dict[str, Any]) -> Outcome:
    if found["status"] == "SUCCEEDED":
        return Outcome(execution, succeeded=True, output=json.loads(found.get("output") or "{}"))
    cause = StepFunctionsHistory(client).cause_in_map(execution)
    cause = cause or plain_cause(found.get("cause") or found.get("error") or f"it ended as {found['status']}")
    state, output, end = _failed_state(client, execution)
    return Outcome(execution, succeeded=False, output=output, state=state, cause=cause, end=end)


def _failed_state(client: "SFNClient", execution: str) -> tuple[str, dict[str, Any], str]:
    """Return the state that failed (the last one entered that is no Fail state), its input, and the Fail state."""
    end = ""
    for event in client.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=100)["events"]:
        if not event["type"].endswith("StateEntered"):
            continue
        entered = event["stateEnteredEventDetails"]
        if event["type"] != "FailStateEntered":
            return entered["name"], json.loads(entered.get("input") or "{}"), end
        end = entered["name"]
    return "", {}, end
