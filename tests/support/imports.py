"""What Python sources import, read and not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

OWN = "sluice"

Statement = ast.Import | ast.ImportFrom


def imports(source: str) -> Iterator[str]:
    """Yield every module a source imports, wherever it does; what only types need does not count."""
    for statement in _statements(ast.parse(source)):
        yield from _modules(statement)


def all_imports(path: Path, layer: Path) -> set[str]:
    """Every module a file imports, itself or through our own modules, which lie under the folder `layer`."""
    found: set[str] = set()
    read: set[Path] = set()
    ahead = {path}
    while ahead:
        source = ahead.pop()
        read.add(source)
        for statement in _statements(ast.parse(source.read_text())):
            found.update(_modules(statement))
            ahead.update(file for place in _places(statement) for file in _files(place, layer) if file not in read)
    return found


def _statements(node: ast.AST) -> Iterator[Statement]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        for child in ast.iter_child_nodes(node):
            yield from _statements(child)


def _modules(statement: Statement) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    assert statement.module, "an import says where from"
    return [statement.module]


def _places(statement: Statement) -> list[str]:
    """What may be a module: `from package import name` imports one if there is one of that name."""
    modules = _modules(statement)
    return modules + [f"{module}.{alias.name}" for module in modules for alias in statement.names]


def _files(module: str, layer: Path) -> Iterator[Path]:
    """The files Python runs to import one of our modules: those of its packages, then its own."""
    names = module.split(".")
    if names[0] == OWN:
        for length in range(1, len(names) + 1):
            place = layer.joinpath(*names[:length])
            yield from (file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file())
