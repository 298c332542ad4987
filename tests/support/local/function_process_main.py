"""Run one Lambda function and report its peak memory: `python -m tests.support.local.function_process_main NAME`.

The event comes on standard input as JSON; the answer goes to standard output: `{"result": …, "peak_mb": …}`.
"""

import json
import runpy
import sys
from pathlib import Path

from tests.support.lambda_context import Context
from tests.support.peak_memory import peak_mb

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"


def main() -> None:
    """Load the function's handler, call it, measure."""
    answers, sys.stdout = sys.stdout, sys.stderr  # the function's log is not the answer
    (handler,) = FUNCTIONS.glob(f"*/{sys.argv[1]}/handler.py")
    result = runpy.run_path(str(handler))["handler"](json.load(sys.stdin), Context(function_name=sys.argv[1]))
    json.dump({"result": result, "peak_mb": peak_mb()}, answers)


if __name__ == "__main__":
    main()
