"""Stop this notebook instance once no kernel has run and no terminal was used for so many minutes.

Runs on the instance, every five minutes, in its system's Python 3.9, which has no packages: `stop_idle.py MINUTES`.
"""

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

JUPYTER = "https://localhost:8443"
METADATA = Path("/opt/ml/metadata/resource-metadata.json")
UPTIME = Path("/proc/uptime")


def idle_seconds(used: Sequence[Any], now: float, up_seconds: float) -> float:
    """Return for how long none of the kernels and terminals was used; at most for as long as the instance is up."""
    if any(each.get("execution_state") == "busy" for each in used):
        return 0
    last = [datetime.fromisoformat(each["last_activity"].replace("Z", "+00:00")).timestamp() for each in used]
    return min(up_seconds, now - max(last, default=0))


def _used(jupyter: str) -> Sequence[Any]:
    """Return kernels and terminals; none where Jupyter does not answer, as nobody works there."""
    own = ssl._create_unverified_context()  # noqa: S323, SLF001 - the certificate is the instance's own
    try:
        return [
            each
            for kind in ("kernels", "terminals")
            for each in json.load(urlopen(f"{jupyter}/api/{kind}", timeout=30, context=own))  # noqa: S310 - its own
        ]
    except URLError:
        return []


def main(minutes: int, jupyter: str = JUPYTER, metadata: Path = METADATA, uptime: Path = UPTIME) -> None:
    """Ask SageMaker to stop the instance if it was idle for so many minutes."""
    idle = idle_seconds(_used(jupyter), time.time(), float(uptime.read_text().split()[0]))
    if idle >= 60 * minutes:
        name = json.loads(metadata.read_text())["ResourceName"]
        stop = ["aws", "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name]
        subprocess.run(stop, check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
