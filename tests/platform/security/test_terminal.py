"""What somebody else wrote never acts on the terminal of who looks at it, nor on a spreadsheet."""

import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
import typer
from rich.markup import escape
from rich.panel import Panel
from rich.progress import Progress
from rich.text import Text

from cli import main
from cli.platform import console, query
from cli.platform.console import CliError, handled, say, say_json, table, titled, visible
from sluice.vendor_exports.completeness.history_formats import list_of_names

HOSTILE = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1bP+q544e\x1b\\",
    "\x9b31m",
    "\x90\x9c",
    "back\b\b\bspace",
    "over\rwritten",
    "\x7f\x00\v\f",
    "\u202ereversed\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "line\u2028separator\u2029",
    "tag\U000e0041",
    "half\ud800",
    "soft\u00adhyphen",
)
HARMLESS = 'Schiff «Änne» 船 🚢 é\n\tfrom (5 €) [a] {b} \\ "c"'


WIDER = ord("\N{FULLWIDTH EQUALS SIGN}") - ord("=")
OWN = re.compile("\x1b\\[[?0-9;]*[mhlKAG]")  # styles, the cursor, of rich itself


def acts(printed: str) -> list[str]:
    """Return what is not text of a screen."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [each for each in printed if each not in "\n\t" and unicodedata.category(each) in hidden]


def in_a_table(value: str) -> None:
    console.out.print(titled("All", table("Key", escape(value), rows=[(escape(value), f"[red]{escape(value)}[/]")])))


def in_an_error(value: str) -> None:
    @handled
    def command() -> None:
        raise CliError(f"There is no {value}.", f"These begin alike: {value}")

    with pytest.raises(typer.Exit):
        command()


def in_progress(value: str) -> None:
    with Progress(console=console.err) as progress:
        progress.add_task(escape(value))
    with console.err.status(escape(value)):
        console.err.print("at work")


def in_a_traceback(value: str) -> None:
    def fail(_: str) -> None:
        raise RuntimeError(value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "connect", fail)
        patch.setattr(sys, "argv", ["sluice", "tables"])
        with pytest.raises(SystemExit) as ended:
            main.main()
    assert ended.value.code == 1


WAYS: list[Callable[[str], Any]] = [
    lambda value: say(escape(value)),
    lambda value: console.out.print(value, markup=False, highlight=False),
    lambda value: console.out.print(Panel(Text(value, style="bold"))),
    lambda value: say_json({value: [value]}),
    in_a_table,
    in_an_error,
    in_progress,
    in_a_traceback,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_but_text_reaches_a_terminal(
    way: Callable[[str], Any], terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (console.out, console.err):
        monkeypatch.setattr(each, "_force_terminal", terminal)
    for value in HOSTILE:
        way(f"a{value}b")
        printed = OWN.sub("", "".join(capsys.readouterr())) if terminal else "".join(capsys.readouterr())
        assert "a" in printed
        assert not acts(printed), (value, printed)


def test_other_text_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert visible(HARMLESS) == HARMLESS
    say_json([*HOSTILE[:-2], HARMLESS])
    assert json.loads(capsys.readouterr().out) == [*HOSTILE[:-2], HARMLESS]


@pytest.mark.parametrize("sign", [*"=+-@\t\r\N{MINUS SIGN}", *(chr(ord(each) + WIDER) for each in "=+-@")])
def test_no_cell_of_a_spreadsheet_is_a_formula(sign: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerow([list_of_names([f"{sign}HYPERLINK()", "b"])])
    ((cell,),) = csv.reader(io.StringIO(text.getvalue()))
    assert cell[0] in "'?"
