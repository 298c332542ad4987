"""Output, expected failures and options of all commands: results go to standard output, all else to standard error."""

import functools
import json
import shlex
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer
from botocore import exceptions as aws
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from infra.stage import StageNameError
from infra.stage_file import StageFileError
from sluice.contracts.model import ContractError
from sluice.mart.model import MartError

P = ParamSpec("P")
R = TypeVar("R")

_PIPE_COLUMNS = 200  # a pipe or a file has room; rich assumes 80 columns, and cuts text that does not fit
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's control and format characters, halves of others, separators


def visible(text: str) -> str:
    """Return text with an escape, as JSON has it, for each character that would act on a terminal or hide there."""
    if text.isprintable():
        return text
    return "".join(
        json.dumps(each)[1:-1] if each not in "\n\t" and unicodedata.category(each) in _HIDDEN else each
        for each in text
    )


def shell(*words: str) -> str:
    """Return a command of these words, which may hold anything, as people may paste it into a shell."""
    return shlex.join(words)


class _TerminalConsole(Console):
    """The one way to the terminal: whatever is printed there is visible text, in the styles of this program."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as inherited
        """Make a text of a string before it is measured."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything; texts that are none of strings, such as those of a traceback, are made visible here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


out = _TerminalConsole(width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
err = _TerminalConsole(width=None if sys.stderr.isatty() else _PIPE_COLUMNS, stderr=True)


def say(text: str) -> None:
    """Print progress or advice on standard error, in one line: people copy commands from it."""
    err.print(text, highlight=False, soft_wrap=True)


def say_json(document: object) -> None:
    """Print the one JSON document of a command, which may hold dataclasses, on standard output."""
    sys.stdout.write(visible(json.dumps(document, default=asdict, ensure_ascii=False, indent=2)) + "\n")


def print_result(found: R, show: Callable[[R], None], *, as_json: bool) -> None:
    """Print what a command found: as its JSON document, or as it is shown to people."""
    if as_json:
        say_json(found)
    else:
        show(found)


def table(*headers: Column | str, rows: Iterable[Iterable[str]]) -> Table:
    """Return a table with these rows, in rich's markup."""
    shown = Table(*headers)
    for row in rows:
        shown.add_row(*row)
    return shown


def titled(title: str, table: Table) -> RenderableType:
    """Return a table under its title; rich's own title is broken to the table's width."""
    return Group(f"[bold]{title}[/]", table)


def print_tables(tables: Mapping[str, Table]) -> None:
    """Print tables under their titles, those without rows left out."""
    for title, shown in tables.items():
        if shown.row_count:
            out.print(titled(title, shown))


def nowrap_column(header: str) -> Column:
    """Return a column of text that people copy: others give way to it."""
    return Column(header, no_wrap=True)


def wrapped_column(header: str) -> Column:
    """Return a column of sentences: they are wrapped, and never cut."""
    return Column(header, overflow="fold")


def progress() -> Progress:
    """Return a progress display on standard error that disappears in the end."""
    columns = (SpinnerColumn(), "{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def plural(count: int, noun: str) -> str:
    """Return a number with its noun, as in ``1 file`` or ``2,000 files``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


_LOG_IN = "Log in (`aws sso login`) or set AWS_PROFILE; the local stage needs no credentials."
_CONNECT = "Is the local cloud up (`sluice local status`)? Or the network?"
_HINTS: Mapping[type[Exception], str] = {
    aws.EndpointConnectionError: _CONNECT,
    aws.ConnectTimeoutError: _CONNECT,
    aws.ConnectionClosedError: _CONNECT,
    aws.ReadTimeoutError: _CONNECT,
    aws.NoRegionError: "Set AWS_REGION to the stage's region.",
    aws.NoCredentialsError: _LOG_IN,
    aws.PartialCredentialsError: _LOG_IN,
    aws.CredentialRetrievalError: _LOG_IN,
    aws.ProfileNotFound: _LOG_IN,
    aws.SSOError: _LOG_IN,
    aws.TokenRetrievalError: _LOG_IN,
    ContractError: "`sluice contract check` names every problem of the contracts.",
    MartError: '`sluice mart query "select * from snapshots"` shows which days the mart has.',
    StageNameError: "",
    StageFileError: "",
}
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


class CliError(Exception):
    """An expected failure: `message` says what happened to what, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def handled(command: Callable[P, R]) -> Callable[P, R]:
    """Return a command that ends an expected failure with its message and exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Exception as error:
            expected = explained(error)
            if expected is None:
                raise
        fail(expected, as_json=bool(kwargs.get("as_json")))

    return run


def fail(error: CliError, *, as_json: bool = False) -> NoReturn:
    """Print an expected failure, for people on standard error, with `--json` as the document too; end with code 1."""
    err.print(f"[bold red]Error:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
    if error.hint:
        err.print(f"  {escape(error.hint)}", highlight=False, soft_wrap=True)
    if as_json:
        say_json({"error": error.message, "hint": error.hint})
    raise typer.Exit(1)


def explained(error: Exception) -> CliError | None:
    """Return an error as an expected failure; None when it is none."""
    if isinstance(error, CliError):
        return error
    if isinstance(error, aws.ClientError):
        return _explain_answer(error)
    hint = next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), None)
    return None if hint is None else CliError(str(error), hint)


def _explain_answer(error: aws.ClientError) -> CliError:
    answer = error.response.get("Error", {})
    code, text = answer.get("Code", ""), answer.get("Message") or str(error)
    if code in _EXPIRED:
        return CliError(f"AWS does not accept the credentials of this shell: {text}", _LOG_IN)
    if code in _DENIED:
        return CliError(f"AWS refused {error.operation_name}: {text}", "Ask for the permission or use another role.")
    return CliError(f"{error.operation_name} failed: {text} ({code})", "Run `sluice status` to see the stage's health.")


JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on standard output and nothing else there."),
]
