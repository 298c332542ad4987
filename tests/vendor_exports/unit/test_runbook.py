"""The runbook quotes what exports say, all of it, and in their words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SLUICE = ROOT / "layers" / "sluice"
ROOMS = (SLUICE / "http", SLUICE / "vendor_exports" / "client", SLUICE / "vendor_exports" / "delivery")
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text().partition("### Gaps")[0]
QUOTES = [
    quote for row in re.findall(r"^\| (.*?) \|", RUNBOOK, re.MULTILINE) for quote in re.findall(r"\*(.+?)\*", row)
]
LOCAL = "the local stage fetches from this machine only"


def pieces(text: str) -> list[str]:
    """What stands between the parts that vary."""
    return [piece for piece in re.split(r"[…()\"]", text) if len(piece.strip(" :,")) > 3]


def written(node: ast.expr) -> str:
    """A text as the code has it, with … for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(written(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "…"


def nodes() -> Iterator[ast.AST]:
    for room in ROOMS:
        for module in room.glob("*.py"):
            yield from ast.walk(ast.parse(module.read_text()))


SAID = [written(node) for node in nodes() if isinstance(node, ast.JoinedStr | ast.Constant)]
REASONS = [
    written(node.args[0])
    for node in nodes()
    if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name)
    if re.fullmatch(r"(?!RangeRefused)(\w*Download|Url\w+|ServerBusy|UnexpectedContent)Error", node.func.id)
]


@pytest.mark.parametrize("quote", QUOTES)
def test_what_the_runbook_quotes_is_said(quote: str) -> None:
    for piece in pieces(quote):
        assert any(piece in text for text in SAID), piece


@pytest.mark.parametrize("reason", [reason for reason in REASONS if LOCAL not in reason and pieces(reason)])
def test_every_reason_of_a_missing_file_is_explained(reason: str) -> None:
    assert any(piece in RUNBOOK for piece in pieces(reason)), reason


def test_there_is_something_to_check() -> None:
    assert len(QUOTES) > 30
    assert len(REASONS) > 15
