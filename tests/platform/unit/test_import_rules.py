"""Rules on the modules of `layers/sluice` that import-linter does not check, and the contracts written for it."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.support.import_contracts import REGISTRATION, DomainContract, PipelinesContract

LAYERS = Path(__file__).parents[3] / "layers"
ADAPTERS = (
    "_s3",
    "_dynamodb",
    "_http",
    "_stepfunctions",
    "_opensearch",
    "_sns",
    "_sqs",
    "_cloudwatch",
    "_glue",
    "_iceberg",
    "_postgres",
    "_mlflow",
)
DOMAIN = [
    path.relative_to(LAYERS)
    for path in sorted(LAYERS.glob("sluice/**/*.py"))
    if not path.stem.endswith(ADAPTERS) and path.parent.name != "aws"
]
CLOCK_AND_ENVIRONMENT = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"),
    *("os.environ", "os.getenv"),
}


@pytest.mark.parametrize("module", DOMAIN, ids=str)
def test_domain_reads_neither_clock_nor_environment(module: Path) -> None:
    tree = ast.parse((LAYERS / module).read_text())
    names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & CLOCK_AND_ENVIRONMENT


def test_no_folder_is_in_an_import_cycle_with_another() -> None:
    graph = grimp.build_graph("sluice", cache_dir=None)
    folders = {module: module if graph.find_children(module) else module.rpartition(".")[0] for module in graph.modules}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for module, folder in folders.items():
        imported = {folders[name] for name in graph.find_modules_directly_imported_by(module)}
        sorter.add(folder, *(imported - {folder}))
    sorter.prepare()  # raises CycleError with the folders of a cycle


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("sluice.event_files.convert", "sluice.event_files.ledger", True),
        ("infra.event_files.part", "sluice.event_files.ledger", True),
        ("cli.demo.run", "cli.event_files.ingest", True),
        ("cli.vendor_exports.run", "cli.platform.session", True),
        ("sluice.runs.records", "sluice.event_files.ledger", False),
        ("cli.vendor_exports.run", "cli.event_files.ingest", False),
        ("infra.vendor_exports.part", "sluice.event_files.ledger", False),
    ],
)
def test_pipelines_contract_finds_imports_from_other_packages(importer: str, imported: str, kept: bool) -> None:
    graph = grimp.ImportGraph()
    for pipeline in ("event_files", "vendor_exports"):
        graph.add_import(importer=f"sluice.{pipeline}.pipeline", imported=REGISTRATION)
    graph.add_import(importer=importer, imported=imported)
    contract = PipelinesContract("pipelines", {}, {"users": ["cli.demo"]})
    assert contract.check(graph, verbose=False).kept == kept


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("sluice.lake.object_store_s3", "boto3", True),
        ("sluice.aws.runtime", "boto3", True),
        ("cli.platform.session", "boto3", True),
        ("sluice.lake.object_store", "boto3", False),
        ("sluice.lake.object_store", "sluice.aws.runtime", False),
        ("sluice.lake.object_store", "sluice.lake.object_store_s3", False),
    ],
)
def test_domain_contract_finds_adapters_and_what_they_import(importer: str, imported: str, kept: bool) -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer=importer, imported=imported)
    contract = DomainContract("domain", {}, {"outside": ["boto3"], "adapters": ["_s3", "sluice.aws"]})
    assert contract.check(graph, verbose=False).kept == kept
