"""Facts read from source files: answers of handlers, imports of modules, pins of layers."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from grimp import ImportGraph, build_graph

from infra.layers.layer_builder import LAYERS
from sluice import pipelines
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


OWN = "sluice"

Statement = ast.Import | ast.ImportFrom


def imports(source: str) -> Iterator[str]:
    """Yield every module a source imports, wherever it does; imports for types only do not count."""
    for statement in _statements(ast.parse(source)):
        yield from _modules(statement)


def all_imports(source: str) -> set[str]:
    """Return every module a source imports, itself or through modules of ours, and whatever else it takes from them."""
    direct = {place for statement in _statements(ast.parse(source)) for place in _places(statement)}
    return direct.union(*map(_graph().find_upstream_modules, direct & _graph().modules))


def own_sources(path: Path) -> set[Path]:
    """Return a file, and the files of our own modules that it imports, itself or through others of them."""
    modules = [module.split(".") for module in all_imports(path.read_text())]
    files = (LAYERS.joinpath(*names).with_suffix(".py") for names in modules if names[0] == OWN)
    return {path, *filter(Path.is_file, files)}


@cache
def _graph() -> ImportGraph:
    """The imports of our modules but those for types; those of the registry, named as texts, are imports, too."""
    graph = build_graph(OWN, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None)
    for name in pipelines._MODULES:
        graph.add_import(importer=pipelines.__name__, imported=name)
    return graph


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
    """Return names that may be modules: `from package import name` imports one if there is one of that name."""
    modules = _modules(statement)
    return modules + [f"{module}.{alias.name}" for module in modules for alias in statement.names]


def pins(layer: str) -> dict[str, str]:
    """The exact version of every package of a layer by its normalised name."""
    pinned = re.findall(r"^([\w.-]+)==(\S+)", (LAYERS / layer / "requirements.txt").read_text(), re.MULTILINE)
    return {normal(name): version for name, version in pinned}


def normal(name: str) -> str:
    """The name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
