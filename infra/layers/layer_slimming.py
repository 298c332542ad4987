"""Removal of what no function reads: files of packages, and the symbols and sections of shared libraries."""

import struct
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"  # 64 bit, little endian
_HEADER_SIZE = 64
_SEGMENTS_AT, _SECTIONS_AT, _SEGMENT_SIZE_AT, _SECTION_COUNT_AT = 32, 40, 54, 60
_OFFSET_IN_SEGMENT, _SIZE_IN_SEGMENT = 8, 32

_USELESS = (
    "*/__pycache__/*",
    "bin/*",
    "share/*",
    "*.dist-info/sboms/*",
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "fb303/*",
    "hive_metastore/*",
    # Tests, sources, other file systems and formats. Parquet, JSON, compute and dataset stay whole.
    "pyarrow/include/*",
    "pyarrow/includes/*",
    "pyarrow/src/*",
    "pyarrow/tests/*",
    "pyarrow/*flight*",
    "pyarrow/_azurefs.*",
    "pyarrow/_gcsfs.*",
    "pyarrow/_hdfs.*",
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
    # numpy and scipy: tests, what compiles extensions, and rooms that neither sparse matrices nor implicit enter.
    "numpy/*/tests/*",
    "numpy/tests/*",
    "numpy/_core/include/*",
    "numpy/_core/lib/*",
    "numpy/random/lib/*",
    "numpy/*.a",
    "scipy/*/tests/*",
    "scipy/cluster/*",
    "scipy/datasets/*",
    "scipy/fftpack/*",
    "scipy/integrate/*",
    "scipy/interpolate/*",
    "scipy/io/*",
    "scipy/misc/*",
    "scipy/ndimage/*",
    "scipy/odr/*",
    "scipy/optimize/*",
    "scipy/signal/*",
    "scipy/spatial/*",
    "scipy/stats/*",
    "implicit/gpu/*.so",
    "pykdtree/*",
    # boto3: examples, and resources, which are a layer over its clients.
    "boto3/data/*",
    "boto3/examples/*",
    "botocore/data/*/examples-1.json*",
    # Samples of contracts.
    "sluice/contracts/tables/*/clean.json",
    "sluice/contracts/tables/*/dirty.json",
)

_AWS_SERVICES = {
    "dsql",
    "dynamodb",
    "glue",
    "s3",
    "secretsmanager",
    "sns",
    "stepfunctions",
}  # the clients that functions make


def slim(packages: Path) -> None:
    """Remove what no function reads, and from libraries what no loader does."""
    for path in list(files(packages)):
        if is_useless(path.relative_to(packages)):
            path.unlink()
        elif ".so" in path.suffixes:
            body = stripped(path.read_bytes())
            path.unlink()  # installers link files to their cache and so to every environment: those keep theirs
            path.write_bytes(body)


def share(packages: Path, libraries: Path) -> None:
    """Move OpenMP's library where Lambda's loader looks: implicit asks for it as the system's, and there is none."""
    for library in packages.glob("pykdtree.libs/libgomp-*"):
        libraries.mkdir()
        library.rename(libraries / "libgomp.so.1")


def is_useless(path: Path) -> bool:
    """Tell whether no function reads a file, by its path below the packages."""
    match path.parts:
        case ["botocore", "data", service, _, *_] if service not in _AWS_SERVICES:
            return True
    return any(fnmatch(str(path), pattern) for pattern in _USELESS)


def files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, always in the same order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def stripped(library: bytes) -> bytes:
    """Return the library as far as a loader reads it; what is no 64-bit ELF stays as it is.

    A loader reads segments only, and the linker puts all else behind them: cutting there does what `strip` does, but
    needs no tool that knows the target's machine.
    """
    if not library.startswith(_MAGIC):
        return library
    shorter = bytearray(library[: _loaded(library)])
    struct.pack_into("<Q", shorter, _SECTIONS_AT, 0)
    struct.pack_into("<HH", shorter, _SECTION_COUNT_AT, 0, 0)
    return bytes(shorter)


def _loaded(library: bytes) -> int:
    """Return the end of the last segment."""
    (table,) = struct.unpack_from("<Q", library, _SEGMENTS_AT)
    size, count = struct.unpack_from("<HH", library, _SEGMENT_SIZE_AT)
    end = int(table) + int(size) * int(count)
    return max([_HEADER_SIZE, end, *(_end(library, entry) for entry in range(table, end, size or 1))])


def _end(library: bytes, entry: int) -> int:
    (offset,) = struct.unpack_from("<Q", library, entry + _OFFSET_IN_SEGMENT)
    (size,) = struct.unpack_from("<Q", library, entry + _SIZE_IN_SEGMENT)
    return int(offset) + int(size)
