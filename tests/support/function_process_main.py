"""Run one Lambda function and report its peak memory: `python -m tests.support.function_process_main NAME`.

The event comes on standard input as JSON; the answer goes to standard output: `{"result": …, "peak_mb": …}`.
"""

import importlib.util
import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Context:
    """Context of an invocation."""

    function_name: str
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:measured"
    aws_request_id: str = "measured"

    def get_remaining_time_in_millis(self) -> int:
        """Return ten minutes."""
        return 600_000


def main() -> None:
    """Load the function's handler, call it, measure."""
    name = sys.argv[1]
    answers, sys.stdout = sys.stdout, sys.stderr  # the function's log is not the answer
    spec = importlib.util.spec_from_file_location("handler", next(FUNCTIONS.glob(f"*/{name}/handler.py")))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.handler(json.load(sys.stdin), Context(name))
    json.dump({"result": result, "peak_mb": peak_mb()}, answers)


def peak_mb() -> int:
    """Return the most memory this process ever held."""
    if STATUS.exists():  # where the resource module would count what the parent held when it started us
        peak = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20


if __name__ == "__main__":
    main()
