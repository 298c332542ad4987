"""What goes wrong as expected, in one sentence and with what to do about it; never a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer
from botocore import exceptions as aws
from rich.markup import escape

from cli.platform.console import err, say_json
from sluice.contracts.model import ContractError

P = ParamSpec("P")
R = TypeVar("R")

_LOG_IN = "Log in (`aws sso login`) or set AWS_PROFILE; the local stage needs no credentials."
_HINTS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ConnectionClosedError, aws.ReadTimeoutError),
        "Is the local cloud up (`sluice local status`)? Or the network?",
    ),
    ((aws.NoRegionError,), "Set AWS_REGION to the stage's region."),
    (
        (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError, aws.ProfileNotFound),
        _LOG_IN,
    ),
    ((aws.SSOError, aws.TokenRetrievalError), _LOG_IN),
    ((ContractError,), "`sluice contract check` names every problem of the contracts."),
)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


class CliError(Exception):
    """An expected failure: what happened and to what (`message`), and what to do about it (`hint`)."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Say what happened (`message`) and what to do about it (`hint`)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


def handled(command: Callable[P, R]) -> Callable[P, R]:
    """Let a command end with one clear sentence and exit code 1 when it fails in an expected way."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CliError as error:
            report(error, as_json=bool(kwargs.get("as_json")))
        except Exception as error:
            expected = explain(error)
            if expected is None:
                raise
            report(expected, as_json=bool(kwargs.get("as_json")))
        raise typer.Exit(1)

    return run


def report(error: CliError, *, as_json: bool) -> None:
    """Print an expected failure: for people on standard error, with `--json` as the document too."""
    err.print(f"[bold red]Error:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
    if error.hint:
        err.print(f"  {escape(error.hint)}", highlight=False, soft_wrap=True)
    if as_json:
        say_json({"error": error.message, "hint": error.hint})


def explain(error: Exception) -> CliError | None:
    """Say what an error means to the operator; None when it is nothing we expect."""
    if isinstance(error, aws.ClientError):
        return _explain_answer(error)
    for kinds, hint in _HINTS:
        if isinstance(error, kinds):
            return CliError(str(error), hint)
    return None


def _explain_answer(error: aws.ClientError) -> CliError:
    code = error.response.get("Error", {}).get("Code", "")
    text = error.response.get("Error", {}).get("Message", "") or str(error)
    if code in _EXPIRED:
        return CliError(f"AWS does not accept the credentials of this shell: {text}", _LOG_IN)
    if code in _DENIED:
        return CliError(f"AWS refused {error.operation_name}: {text}", "Ask for the permission or use another role.")
    return CliError(f"{error.operation_name} failed: {text} ({code})", "Run `sluice status` to see the stage's health.")
