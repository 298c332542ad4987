"""A million tracks, as many users, and their 20 million listens: time and memory by step. Not part of `make test`.

    .venv/bin/python -m tests.load.big_pull --rows 1000000

A server in a process of its own gives the pages; each step runs in a new process, with the lake in a folder.
"""

import multiprocessing
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import typer
from typer import echo

from infra.api_pull.settings import ApiPull
from infra.stage import StageKind
from sluice.api_pull.checking import Check
from sluice.api_pull.contracts import ENDPOINTS, contracts
from sluice.api_pull.extraction import Extraction, Limits
from sluice.api_pull.history import History
from sluice.api_pull.model import Pull
from sluice.api_pull.progress import CheckProgress, ExtractProgress
from sluice.api_pull.source_http import HttpSource
from sluice.aws.runtime import peak_memory_mb
from sluice.http.answers import Pauses
from sluice.http.json_http import JsonClient
from sluice.http.patience import Patience
from sluice.http.requests_http import Sender, open_client
from tests.api_pull.application import listens, track, user
from tests.support.lake_tables import columns_of
from tests.support.memory_object_store import MemoryObjectStore

PULL = Pull("20261130T020000000000Z-0000000f", "2026-11-30", "arn:execution")
SETTINGS = ApiPull.of(StageKind.LASTING)
LISTENS_EACH = 20
_SPREAD = 7919  # a prime: what users hear lies apart


class Files(dict[str, bytes]):
    """Objects of a bucket in a folder."""

    def __init__(self, folder: Path) -> None:
        """Bind the folder."""
        super().__init__()
        self._folder = folder

    def __getitem__(self, key: str) -> bytes:
        """Return an object."""
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, body: bytes) -> None:
        """Write an object."""
        (self._folder / key).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / key).write_bytes(body)

    def __contains__(self, key: object) -> bool:
        """Return whether there is an object."""
        return (self._folder / str(key)).exists()


def serve(rows: int, port: "multiprocessing.Queue[int]") -> None:
    """Serve the pages of so many rows."""
    makes = {
        "tracks": track,
        "users": user,
        "listen_history": lambda id_: listens(id_, *(1 + (id_ + n * _SPREAD) % rows for n in range(LISTENS_EACH))),
    }

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece: the second would wait for the first to be acknowledged

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            page, size = int(query["page"][0]), int(query["size"][0])
            ids = range(1 + (page - 1) * size, 1 + min(page * size, rows))
            items = [makes[parts.path[1:]](each) for each in ids]
            body = orjson.dumps({"items": items, "total": rows, "page": page, "size": size, "pages": -(-rows // size)})
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    port.put(server.server_port)
    server.serve_forever()


def extract(folder: Path, endpoint: str, url: str, answers: "multiprocessing.Queue[object]") -> None:
    """Extract an endpoint; answer with the progress and the memory used."""
    limits = Limits(
        page_size=SETTINGS.page_size,
        part_bytes=SETTINGS.part_bytes,
        max_pages=SETTINGS.max_pages,
        max_bytes=SETTINGS.max_bytes,
        max_seconds=SETTINGS.max_seconds,
        restarts=SETTINGS.restarts,
    )
    extraction = Extraction(
        PULL,
        endpoint,
        contracts()[endpoint].key,
        source=HttpSource(JsonClient(Sender(open_client(20), Pauses(1, time.sleep)), url)),
        lake=MemoryObjectStore(Files(folder)),
        limits=limits,
        patience=Patience(600, 60, 60),
        token="x",
    )
    progress = extraction.proceed(ExtractProgress(), lambda: True, time.monotonic)
    answers.put((progress, f"{progress.pages:,} pages", peak_memory_mb()))


def check(folder: Path, endpoint: str, extracted: ExtractProgress, answers: "multiprocessing.Queue[object]") -> None:
    """Check an endpoint; answer with the progress and the memory used."""
    lake = MemoryObjectStore(Files(folder))
    schema = columns_of(contracts()[endpoint].lake_table)
    checking = Check(PULL, endpoint, extracted, lake=lake, schema=schema, history=History(), token="x")
    progress = checking.proceed(CheckProgress(), lambda: True, time.monotonic)
    lake.write(PULL.files_key(endpoint), b"{}")
    answers.put((progress, f"{progress.counts.clean:,} rows in {len(progress.files)} files", peak_memory_mb()))


def main(rows: int = 1_000_000) -> None:
    """Pull so many rows of each endpoint, and say what each step took."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    server = context.Process(target=serve, args=(rows, queue), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{queue.get()}"
    with tempfile.TemporaryDirectory() as folder:
        for endpoint in ENDPOINTS:
            progress: object = None
            steps = ((extract, url, SETTINGS.extract_pages.memory_mb), (check, None, SETTINGS.check_rows.memory_mb))
            for step, given, memory in steps:
                begun = time.monotonic()
                process = context.Process(target=step, args=(Path(folder), endpoint, given or progress, queue))
                process.start()
                progress, what, used = queue.get()
                process.join()
                seconds = time.monotonic() - begun
                echo(f"{endpoint} {step.__name__}: {what}, {seconds:.0f} s, {used:,} MB of {memory:,} MB")
    server.terminate()


if __name__ == "__main__":
    typer.run(main)
