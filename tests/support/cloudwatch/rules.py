"""Rules of composite alarms: ALARM("…"), OK("…"), INSUFFICIENT_DATA("…"), AND, OR, NOT, TRUE, FALSE, parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>[^\s()"']+))\s*\)"""
    r"""|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))\s*"""
)


class RuleError(ValueError):
    """The rule cannot be read."""


def holds(rule: str, state_of: Callable[[str], str]) -> bool:
    """Whether a rule holds; `state_of` gives the state of an alarm by its name.

    Raises:
        RuleError: It cannot be read.
    """
    parser = _Parser(_tokens(rule), state_of)
    found = parser.either()
    if parser.tokens:
        raise RuleError(f"{rule!r}: {parser.tokens[0]} is too much")
    return found


def _tokens(rule: str) -> list[tuple[str, str]]:
    """Pairs of a word and, for a state, the name of the alarm."""
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(rule):
        found = _TOKEN.match(rule, place)
        if found is None:
            raise RuleError(f"{rule!r} cannot be read from {rule[place : place + 20]!r} on")
        name = found["quoted"] or found["single"] or found["bare"] or ""
        # An alarm is named by its ARN or its name.
        tokens.append((found["state"] or found["word"], name.rpartition(":alarm:")[2]))
        place = found.end()
    return tokens


@dataclass
class _Parser:
    """Reads from left to right; NOT binds closest, then AND, then OR."""

    tokens: list[tuple[str, str]]
    state_of: Callable[[str], str]

    def either(self) -> bool:
        found = self._both()
        while self._next("OR"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._next("AND"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if not self.tokens:
            raise RuleError("the rule ends too early")
        word, name = self.tokens.pop(0)
        if word == "NOT":
            return not self._one()
        if word == "(":
            found = self.either()
            if not self._next(")"):
                raise RuleError("a parenthesis is not closed")
            return found
        if name:
            return self.state_of(name) == word
        if word in {"TRUE", "FALSE"}:
            return word == "TRUE"
        raise RuleError(f"{word} stands where a condition belongs")

    def _next(self, word: str) -> bool:
        if self.tokens and self.tokens[0] == (word, ""):
            self.tokens.pop(0)
            return True
        return False
