"""Rules on imports that import-linter has no type for; pyproject.toml lists them with its contracts."""

from abc import abstractmethod
from functools import cached_property
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

REGISTRATION = "sluice.observability.pipeline"
"""Imports of a pipeline's own module `pipeline`, which describes the pipeline."""


class _DirectImports(Contract):
    """Finds single imports that a rule forbids, imports for types included."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        self.graph = graph
        found = sorted(
            f"{importer} imports {imported}"
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
            if self.forbids(importer, imported)
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["found"]:
            output.print_error(line, bold=False)
        output.new_line()

    @abstractmethod
    def forbids(self, importer: str, imported: str) -> bool:
        """Tell if a module must not import the other."""


class PipelinesContract(_DirectImports):
    """Reserves the packages of a pipeline to itself and to `users`."""

    type_name = "pipelines"
    users = fields.SetField(subfield=fields.StringField())

    def forbids(self, importer: str, imported: str) -> bool:
        owner = _name(imported)
        return owner in self._pipelines and _name(importer) != owner and not _is_in(importer, self.users)

    @cached_property
    def _pipelines(self) -> set[str]:
        importers = self.graph.find_modules_that_directly_import(REGISTRATION)
        return {_name(module) for module in importers if module.startswith("sluice.") and module.endswith(".pipeline")}


class DomainContract(_DirectImports):
    """Keeps packages of the `outside` out of all modules but `adapters`: endings of their names, or whole packages."""

    type_name = "domain"
    outside = fields.SetField(subfield=fields.StringField())
    adapters = fields.SetField(subfield=fields.StringField())

    def forbids(self, importer: str, imported: str) -> bool:
        if not importer.startswith("sluice.") or self._is_adapter(importer):
            return False
        return _is_in(imported, self.outside) or self._is_adapter(imported)

    def _is_adapter(self, module: str) -> bool:
        adapters = cast("set[str]", self.adapters)
        endings = tuple(name for name in adapters if name.startswith("_"))
        return module.endswith(endings) or _is_in(module, adapters)


def _name(module: str) -> str:
    """Return the name of the package below the root: the pipeline's, where it belongs to one."""
    return [*module.split("."), ""][1]


def _is_in(module: str, packages: object) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in cast("set[str]", packages))
