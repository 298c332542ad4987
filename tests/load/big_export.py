"""A large export through the local cloud: every file proven, in bounded memory. Not part of `make test`.

    .venv/bin/sluice local up && .venv/bin/sluice deploy
    .venv/bin/python -m tests.load.big_export --files 300 --big-bytes 1000000000

The deployed machine copies it from a simulated vendor; meanwhile the memory of the function that copies is watched.
The present hour's slot is cleared first, and again at the end.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer
from typer import echo

from cli.platform.session import LOCAL, connect
from cli.simulator.exports import Exports
from cli.vendor_exports.export import run_export
from tests.support.local.deployed_cloud import Cloud
from tests.support.local.deployed_exports import DeployedExports, contents
from tests.support.peak_memory import peak_mb

_FUNCTION = b"FunctionsCopyFiles"
_TIMEOUT = 1800.0
_EVERY = 0.1  # seconds


class Watch(threading.Thread):
    """Watches the processes that run the function that copies; `peak_mb` is the most any of them ever held."""

    def __init__(self) -> None:
        """Begin when started."""
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        """Look again and again: when a process is gone, so is what it held."""
        while not self.over.wait(_EVERY):
            self.peak_mb = max(self.peak_mb, *_peaks(), 0.0)


def main(files: int = 300, big_bytes: int = 1_000_000_000) -> None:
    """Export so many files and a large one; end with 0 when every file is proven."""
    exports = DeployedExports(Cloud(connect(LOCAL)))
    exports.clear()
    watch = Watch()
    with exports.vendor(exports=Exports(files=files, big_bytes=big_bytes)) as vendor:
        expected = contents(vendor)
        watch.start()
        begun = time.monotonic()
        account = run_export(exports.cloud.deployment, _TIMEOUT, vendor_url=vendor.url).result
        seconds = time.monotonic() - begun
        watch.over.set()
    copied = f"{account.copied} of {account.promised} files, {account.bytes / 1e6:.0f} MB"
    echo(f"{account.status}: {copied} {account.cause}".rstrip())
    echo(f"{seconds:.0f} s; the function that copies held {watch.peak_mb:.0f} MB at most")
    proven = account.status == "delivered" and exports.landed(account.folder) == expected
    echo("every file proven" if proven else f"NOT PROVEN: {dict(account.reasons)}")
    forget(exports, account.folder)
    raise SystemExit(0 if proven else 1)


def forget(exports: DeployedExports, folder: str) -> None:
    """Delete what was copied, older versions too: the emulator holds them in memory."""
    bucket, s3 = exports.cloud.output("LakeBucket"), exports.cloud.deployment.s3
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=folder):
        for version in page.get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    exports.clear()


def _peaks() -> Iterator[float]:
    """Yield the most memory, in MB, that each process of the function ever held."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, StopIteration):
            if _FUNCTION in (process / "cmdline").read_bytes():
                yield peak_mb(process)


if __name__ == "__main__":
    typer.run(main)
