"""Expected failures end in a sentence, unexpected ones are not hidden."""

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from cli.platform.console import CliError, handled
from infra.stage import StageNameError
from sluice.runs.execution_events import plain_cause


def failing(error: Exception) -> None:
    @handled
    def command(*, as_json: bool) -> None:
        assert not as_json
        raise error

    command(as_json=False)


def answer(code: str, text: str = "why") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, "GetObject")


def test_an_expected_failure_is_told_and_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        failing(CliError("Stage 'x' [1] is not deployed.", "Run it."))
    assert ended.value.exit_code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Error: Stage 'x' [1] is not deployed." in printed.err
    assert "Run it." in printed.err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EndpointConnectionError(endpoint_url="http://localhost:1"), ["localhost:1", "sluice local status"]),
        (NoCredentialsError(), ["credentials", "AWS_PROFILE"]),
        (StageNameError("'X' is no stage."), ["Error: 'X' is no stage."]),
        (answer("ExpiredToken"), ["credentials", "aws sso login"]),
        (answer("AccessDenied", "no s3:GetObject"), ["AWS refused GetObject", "no s3:GetObject"]),
        (answer("Throttling", "slow down"), ["GetObject failed", "slow down", "Throttling"]),
    ],
)
def test_expected_errors_become_words(error: Exception, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        failing(error)
    printed = " ".join(capsys.readouterr().err.split())
    for word in words:
        assert word in printed


def test_a_bug_stays_a_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())


def test_the_cause_of_a_lambda_is_its_message() -> None:
    assert plain_cause('{"errorMessage": "no such batch", "errorType": "ValueError"}') == "no such batch"
    assert plain_cause("it timed out") == "it timed out"
    assert plain_cause('"text"') == '"text"'
