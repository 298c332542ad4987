"""`sluice report`: what the last day, week or month of a stage was like, as a page with plots."""

import json
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.platform.console import CliError, JsonOption, err, handled, out, plural, print_result, say
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.periods import Period, PeriodKind, parse_time, up_to
from sluice.pipelines import PIPELINES

if TYPE_CHECKING:
    from sluice.observability.digest.model import Digest


BUILD = Path("build")
"""Folder of pages that the operator gave no path for; made when needed."""


@handled
def report(
    stage: StageOption = LOCAL,
    kind: Annotated[PeriodKind, typer.Option("--span", help="How long.")] = PeriodKind.WEEK,
    until: Annotated[str | None, typer.Option(help="Its end, UTC, such as 2026-11-22; now unless given.")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page to write; one in build/ unless given.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write what a day, a week (7 days) or a month (30 days) was like: one page that needs no network.

    Success rates, volumes against the usual, dirty reasons that are new,
    unknown members, tables, gaps of exports, failed and slow runs, and a cost
    estimate. The stage sends the same for every whole day and week.

    Examples:
        sluice report --open
        sluice report --stage prd --span month --until 2026-11-01 --out october.html
        sluice report --stage prd --span day --json | jq .notices
    """
    from sluice.observability.digest.message import document_of  # noqa: PLC0415 - slow to import, like Plotly
    from sluice.observability.digest.page import digest_page  # noqa: PLC0415 - likewise

    now = datetime.now(UTC)
    period = up_to(kind, now) if until is None else Period(kind, _end(until, now))
    with err.status("Reading the records of runs …"):
        digest = digest_of(connect(stage), period, now)
    page = to or (BUILD / f"report-{stage}-{kind}-{period.last_day}.html" if show or not as_json else None)
    if page:
        write_page(page, digest_page(digest))
    document = {**document_of(digest), "file": str(page) if page else None}
    print_result(document, lambda _: _show(digest, page), as_json=as_json)
    if show and page:
        open_page(page)


def digest_of(deployment: Deployment, period: Period, now: datetime) -> "Digest":
    """Return the digest that the stage would send of a period."""
    from sluice.observability.digest.build import DigestSources  # noqa: PLC0415 - slow to import

    return DigestSources(
        stage=deployment.stage,
        pipelines=PIPELINES,
        lake=S3ObjectStore(deployment.s3, deployment.output("LakeBucket")),
        dynamodb=deployment.dynamodb,
        settings=json.loads(deployment.output("DigestSources")),
    ).digest(period, now)


def _end(text: str, now: datetime) -> datetime:
    try:
        end = parse_time(text)
    except ValueError as error:
        raise CliError(f"{text!r} is no time.", "Such as 2026-11-22 or 2026-11-22T06:00Z.") from error
    if end > now:
        raise CliError(f"{end:%Y-%m-%d %H:%M} UTC is yet to come.", "Leave --until out for what ends now.")
    return end


def _show(digest: "Digest", page: Path | None) -> None:
    for notice in digest.notices:
        out.print(f"- {notice}", markup=False, highlight=False, soft_wrap=True)
    if not digest.notices:
        say("No run has been recorded in this time." if digest.is_empty else "Nothing out of the ordinary.")
    runs = sum(sum(outcomes.values()) for outcomes in digest.total.outcomes.values())
    out.print(f"{page}: {digest.period.kind} {digest.period}, {plural(runs, 'run')}", highlight=False, soft_wrap=True)


def write_page(to: Path, page: bytes) -> None:
    """Write a page.

    Raises:
        CliError: There is no place for it.
    """
    try:
        if to.parent == BUILD:
            BUILD.mkdir(exist_ok=True)
        to.write_bytes(page)
    except OSError as error:
        raise CliError(
            f"{to} cannot be written: {error.strerror}.", "Name a file in a folder there is: --out"
        ) from error


def open_page(page: Path) -> None:
    """Open a page in the operator's browser."""
    webbrowser.open(page.resolve().as_uri())
