"""What installed packages hold that no function reads, and layers do without."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from infra.layers.elf import stripped

_USELESS = (
    "*/__pycache__/*",
    "bin/*",
    "share/*",
    "*.dist-info/sboms/*",
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "aws_lambda_powertools/event_handler/*",
    # Tests, sources, other file systems and formats. Parquet, JSON, compute and dataset stay whole.
    "pyarrow/include/*",
    "pyarrow/includes/*",
    "pyarrow/src/*",
    "pyarrow/tests/*",
    "pyarrow/*flight*",
    "pyarrow/_azurefs.*",
    "pyarrow/_gcsfs.*",
    "pyarrow/_hdfs.*",
    "pyarrow/_s3fs.*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/_substrait.*",
    "pyarrow/*orc.*",
    "pyarrow/*parquet_encryption*",
    # The same library three times; the loader asks for the name with the major version only.
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*",
    # Plotly: what is for notebooks and for other packages.
    "plotly/labextension/*",
    "plotly/package_data/widgetbundle.js",
    "plotly/package_data/datasets/*",
    "plotly/express/*",
    "plotly/figure_factory/*",
    "plotly/matplotlylib/*",
    "plotly/graph_objs/_figurewidget.py",
    # opensearch-py: what its gRPC transport needs, which nobody here uses.
    "google/*",
    "grpc/*",
    "opensearch/*",
    # Of our own code: samples and what is used while developing only.
    "sluice/contracts/tables/*/clean.json",
    "sluice/contracts/tables/*/dirty.json",
    "sluice/contracts/check.py",
    "sluice/contracts/contract_checks.py",
    "sluice/contracts/fit.py",
    "sluice/contracts/infer.py",
    "sluice/contracts/referee.py",
    "sluice/contracts/sample_checks.py",
    "sluice/contracts/samples.py",
    "sluice/contracts/shape.py",
    "sluice/contracts/spoiling.py",
    "sluice/contracts/synthesis.py",
    "sluice/contracts/time_checks.py",
)


def slim(packages: Path) -> None:
    """Remove what no function reads, and from libraries what no loader does."""
    for path in list(files(packages)):
        if is_useless(path.relative_to(packages)):
            path.unlink()
        elif ".so" in path.suffixes:
            body = stripped(path.read_bytes())
            path.unlink()  # installers link files to their cache and so to every environment: those keep theirs
            path.write_bytes(body)


def is_useless(path: Path) -> bool:
    """Tell whether no function reads a file, by its path below the packages."""
    return any(fnmatch(str(path), pattern) for pattern in _USELESS)


def files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, always in the same order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
