"""`sluice media`: the index by which media are found."""

from collections.abc import Iterator

import typer

from cli.platform.console import JsonOption, StageOption, err, handled, out, plural, say_json
from cli.platform.session import LOCAL, Deployment, connect
from sluice.event_files.validate.media_dynamodb import DynamoMediaIndex

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
    harmless.

    Examples:
        sluice media index --stage dev
    """
    count = index_bucket(connect(stage))
    if as_json:
        say_json({"objects": count})
    else:
        out.print(f"{plural(count, 'object')} indexed.")


def index_bucket(deployment: Deployment) -> int:
    """Index every object of the media bucket; returns how many there are."""
    bucket = deployment.output("MediaBucket")
    media = DynamoMediaIndex(deployment.dynamodb, deployment.output("MediaTable"), bucket)
    count = 0
    with err.status("Indexing …") as shown:
        for keys in _keys(deployment, bucket):
            media.add(keys)
            count += len(keys)
            shown.update(f"Indexed {plural(count, 'object')} …")
    return count


def _keys(deployment: Deployment, bucket: str) -> Iterator[list[str]]:
    for page in deployment.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield [entry["Key"] for entry in page.get("Contents", [])]
