"""Where columns are in an event, as one type."""

import pytest

from sluice.contracts.column_types import event_type, path_of
from sluice.contracts.model import TECHNICAL_COLUMNS, Column


def column(name: str, path: str, type_: str = "string") -> Column:
    return Column(name, tuple(path.split(".")) if path else (), type_, "")


def test_columns_make_up_the_event_they_are_in() -> None:
    columns = [
        column("date_time", "time"),
        column("id", "detail.id"),
        column("scores", "detail.output.scores", "array<double>"),
        column("the_same_id", "detail.id"),
        column("context", "detail.context", "struct<a:bigint>"),
        *TECHNICAL_COLUMNS,
    ]
    assert str(event_type(columns)) == (
        "struct<time:string,detail:struct<id:string,output:struct<scores:array<double>>,context:struct<a:bigint>>,"
        "_rescued:string,_source_key:string,_source_offset:bigint>"
    )


def test_a_column_without_a_path_is_a_member_of_its_name() -> None:
    assert [path_of(each) for each in TECHNICAL_COLUMNS] == [("_rescued",), ("_source_key",), ("_source_offset",)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([column("a", "x", "struct<y:string>"), column("b", "x.y")], "column b lies within another"),
        ([column("b", "x.y"), column("a", "x", "struct<y:string>")], "column a is of another type"),
        ([column("a", "x"), column("b", "x", "bigint")], "column b is of another type"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(columns: list[Column], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        event_type(columns)
