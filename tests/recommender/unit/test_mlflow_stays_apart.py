"""MLflow takes seconds to import: nothing that serves or infers may."""

from pathlib import Path

import grimp

FUNCTIONS = Path(__file__).parents[3] / "functions"
REGISTRY = "sluice.recommender.registry_mlflow"


def test_only_the_functions_that_register_and_promote_import_mlflow() -> None:
    graph = grimp.build_graph("sluice", include_external_packages=True, cache_dir=None)
    assert graph.find_modules_that_directly_import("mlflow") == {REGISTRY}
    assert graph.find_modules_that_directly_import(REGISTRY) == set()
    importers = {path.parent.name for path in FUNCTIONS.rglob("*.py") if "mlflow" in path.read_text().lower()}
    assert importers == {"register_model", "promote_model"}
