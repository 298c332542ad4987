"""Schemas, partitions and properties of Iceberg tables, made of a table's columns in Hive notation."""

from collections.abc import Sequence
from itertools import count

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.update.schema import UpdateSchema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
)

from sluice.contracts.model import Column, HiveType, Table, parse_hive
from sluice.lake.parquet import arrow_schema, has_statistics

KEPT_DAYS = "sluice.kept-days"
"""Property of a table: days after which its days' partitions go."""

_PROPERTIES = {
    "write.parquet.compression-codec": "zstd",
    "write.metadata.metrics.default": "none",
    # Each commit writes the metadata anew: ten versions are kept, and manifests of few files become one. As they grow,
    # that takes longer; those of some 3,000 files stay as they are.
    "write.metadata.previous-versions-max": "10",
    "write.metadata.delete-after-commit.enabled": "true",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "commit.manifest.target-size-bytes": str(1 << 20),
    # Tried again here, after a look whether the run is in already; PyIceberg would add it once more.
    "commit.retry.num-retries": "0",
}
_PRIMITIVES: dict[str, IcebergType] = {
    "string": StringType(),
    "bigint": LongType(),
    "int": IntegerType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "timestamp": TimestampType(),
    "date": DateType(),
}


def properties_of(table: Table) -> dict[str, str]:
    """Return the properties of a table: what is kept of it, and of which columns there are statistics."""
    partition = (column.name for column in table.partition)
    known = [*partition, *(field.name for field in arrow_schema(table.columns) if has_statistics(field))]
    metrics = {f"write.metadata.metrics.column.{name}": "truncate(32)" for name in known}
    kept = {KEPT_DAYS: str(table.kept_days)} if table.kept_days else {}
    return {"Description": table.doc, **_PROPERTIES, **metrics, **kept}


def schema_of(table: Table) -> Schema:
    """Return the schema of a table; its ids are those of the catalog once it is created."""
    ids = count(1)
    columns = (*table.columns, *(each for each in table.partition if each not in table.columns))
    return Schema(*(_field(ids, column.name, parse_hive(column.type), column.doc) for column in columns))


def _field(ids: "count[int]", name: str, type_: HiveType, doc: str | None = None) -> NestedField:
    return NestedField(next(ids), name, _iceberg_type(ids, type_), required=False, doc=doc)


def _iceberg_type(ids: "count[int]", type_: HiveType) -> IcebergType:
    if type_.kind == "array":
        return ListType(next(ids), _iceberg_type(ids, type_.element), element_required=False)
    if type_.kind == "struct":
        return StructType(*(_field(ids, name, member) for name, member in type_.fields))
    return _PRIMITIVES[type_.kind]


def partition_spec(schema: Schema, partition: Sequence[Column]) -> PartitionSpec:
    """Return the partition of a table by these columns of its schema, by their values."""
    return PartitionSpec(
        *(
            PartitionField(schema.find_field(column.name).field_id, 1000 + place, IdentityTransform(), column.name)
            for place, column in enumerate(partition)
        )
    )


def missing(wanted: Schema, current: Schema) -> list[str]:
    """Return the columns and members that `current` lacks or has with another type, in words."""
    there = {current.find_column_name(each): current.find_type(each) for each in current.field_ids}
    changes = []
    for each in wanted.field_ids:
        name, type_ = wanted.find_column_name(each), wanted.find_type(each)
        if name not in there:
            changes.append(f"{name} is new")
        elif type_.is_primitive and there[name] != type_:
            changes.append(f"{name} becomes {type_}, it was {there[name]}")
    return changes


def docs_of(schema: Schema) -> dict[str, str | None]:
    """Return what each column holds, by its name."""
    return {field.name: field.doc for field in schema.fields}


def arrange(update: UpdateSchema, wanted: Schema, current: Schema) -> None:
    """Put new columns where the contract has them: after the column before them."""
    known = {field.name for field in current.fields}
    for before, field in zip(wanted.fields, wanted.fields[1:], strict=False):
        if field.name not in known:
            update.move_after(field.name, before.name)
