"""The answer of a handler, read from its source."""

import ast
from pathlib import Path

from tests.support.synthesis import ROOT


def members_of(place: str) -> set[str]:
    """Return the keys of the dictionary a handler returns, or of one inside it."""
    return set(items_of(handler_of(place.split(".", maxsplit=1)[0]), answer_of(place)))


def answer_of(place: str) -> ast.expr:
    """Return the expression that a handler returns, or a member of it."""
    folder, *within = place.split(".")
    tree = handler_of(folder)
    (answer,) = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    for member in within:
        answer = items_of(tree, answer)[member]
    assert answer
    return assigned_to(tree, answer) if isinstance(answer, ast.Name) else answer


def handler_path(folder: str) -> Path:
    """Return the handler of a function of any pipeline."""
    (path,) = (ROOT / "functions").glob(f"*/{folder}/handler.py")
    return path


def handler_of(folder: str) -> ast.Module:
    return ast.parse(handler_path(folder).read_text())


def items_of(tree: ast.Module, node: ast.expr | None) -> dict[str, ast.expr]:
    """Return the items of a dictionary that is written out; of one taken in by `**`, those of its assignment."""
    assert isinstance(node, ast.Dict), "an answer is written out, member by member"
    items: dict[str, ast.expr] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        items |= items_of(tree, assigned_to(tree, value)) if key is None else {ast.literal_eval(key): value}
    return items


def assigned_to(tree: ast.Module, name: ast.expr) -> ast.expr:
    (value,) = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(name)
    ]
    return value
