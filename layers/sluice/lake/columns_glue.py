"""Columns of the lake's Iceberg tables as the catalog has them now: what files of these tables are written with."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from sluice.lake.object_store import ObjectStore
from sluice.lake.parquet import TABLE_ID

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

_PRIMITIVES = {
    "string": pa.string(),
    "long": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}


class GlueColumns:
    """Schemas of the tables of one database, whose metadata lie in one bucket."""

    def __init__(self, client: "GlueClient", database: str, files: ObjectStore) -> None:
        """Bind the database; PyIceberg would do, but takes half a second to import."""
        self._client = client
        self._database = database
        self._files = files

    def schema(self, table: str) -> pa.Schema:
        """Return a table's columns; each field, nested ones too, has the id that Iceberg knows it by.

        Its metadata have the id of the table itself.

        Raises:
            LookupError: There is no such table.
        """
        try:
            entry = self._client.get_table(DatabaseName=self._database, Name=table.lower())["Table"]
        except self._client.exceptions.EntityNotFoundException as error:
            raise LookupError(f"the catalog has no table {table}: deploy the stage") from error
        key = entry["Parameters"]["metadata_location"].removeprefix("s3://").partition("/")[2]
        metadata = orjson.loads(self._files.read(key))
        (current,) = (each for each in metadata["schemas"] if each["schema-id"] == metadata["current-schema-id"])
        return file_schema(current).with_metadata({TABLE_ID: metadata["table-uuid"]})


def file_schema(schema: Mapping[str, Any]) -> pa.Schema:
    """Return the columns of files of a table, by its schema in Iceberg's JSON."""
    return pa.schema(map(_field, schema["fields"]))


def _field(field: dict[str, Any]) -> pa.Field:
    return _with_id(field["name"], field["type"], field["id"])


def _with_id(name: str, type_: Any, field_id: int) -> pa.Field:  # noqa: ANN401  # a name, or an object
    return pa.field(name, _arrow_type(type_), metadata={"PARQUET:field_id": str(field_id)})


def _arrow_type(type_: Any) -> pa.DataType:  # noqa: ANN401
    if isinstance(type_, str):
        return _PRIMITIVES[type_]
    if type_["type"] == "list":
        return pa.list_(_with_id("element", type_["element"], type_["element-id"]))
    return pa.struct(list(map(_field, type_["fields"])))
