"""`sluice media`: the index by which media are found."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import typer

from cli.event_files.producer_bucket import ProducerBucket
from cli.platform.console import JsonOption, err, handled, out, plural, print_result
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.event_files.media_dynamodb import DynamoMediaIndex

_THREADS = 16  # a write at a time takes most of its time on the way

app = typer.Typer(no_args_is_help=True, help="The media bucket's index.")


@app.callback()
def _media() -> None:
    """Keep `index` a command of its own, though it is the only one."""


@app.command()
@handled
def index(stage: StageOption = LOCAL, as_json: JsonOption = False) -> None:
    """List the media bucket once and index every object.

    Needed once, for a bucket that held media before the stage was deployed:
    from then on the index keeps itself up to date. Doing it again is
    harmless, and finds what was not announced.

    Examples:
        sluice media index --stage dev
    """
    count = index_bucket(connect(stage))
    print_result({"objects": count}, lambda _: out.print(f"{plural(count, 'object')} indexed."), as_json=as_json)


def index_bucket(deployment: Deployment) -> int:
    """Index every object of the media bucket; returns how many there are."""
    bucket = ProducerBucket.of(deployment, "Media")
    media = DynamoMediaIndex(deployment.dynamodb, deployment.output("MediaTable"), bucket.name)
    count, begun = 0, time.time()
    with err.status("Indexing …") as shown, ThreadPoolExecutor(_THREADS) as threads:
        for page in bucket.pages():
            count += sum(1 for _ in threads.map(media.add, (entry["Key"] for entry in page), repeat(begun)))
            shown.update(f"Indexed {plural(count, 'object')} …")
    return count
