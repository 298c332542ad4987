import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.contracts.model import PRIMITIVES, TECHNICAL_COLUMNS, Column, HiveType, event_type, parse_hive

names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)


def _nested(inner: st.SearchStrategy[HiveType]) -> st.SearchStrategy[HiveType]:
    arrays = inner.map(lambda element: HiveType("array", (("element", element),)))
    members = st.dictionaries(names, inner, min_size=1, max_size=3)
    return arrays | members.map(lambda fields: HiveType("struct", tuple(fields.items())))


hive_types = st.recursive(st.sampled_from(sorted(PRIMITIVES)).map(HiveType), _nested, max_leaves=8)


@given(hive_types)
def test_a_type_reads_what_it_wrote(hive: HiveType) -> None:
    assert parse_hive(str(hive)) == hive


def test_only_an_array_has_an_element() -> None:
    with pytest.raises(ValueError, match="string is not an array"):
        _ = parse_hive("string").element


@pytest.mark.parametrize(
    "text",
    [
        *("", "text", "String", "array", "array<>", "array<string", "array<string>>", "array<string,string>"),
        *("struct<>", "struct<a>", "struct<a:>", "struct<a:string,>", "struct<a:string,a:bigint>", "struct<:string>"),
        *("array < string >", "string string", "string\n", "struct<1a:string>"),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Hive type"):
        parse_hive(text)


def column_at(name: str, path: str, type_: str = "string") -> Column:
    return Column(name, tuple(path.split(".")) if path else (), type_, "")


def test_columns_make_up_the_event_they_are_in() -> None:
    columns = [
        column_at("date_time", "time"),
        column_at("id", "detail.id"),
        column_at("scores", "detail.output.scores", "array<double>"),
        column_at("the_same_id", "detail.id"),
        column_at("context", "detail.context", "struct<a:bigint>"),
        *TECHNICAL_COLUMNS,
    ]
    assert str(event_type(columns)) == (
        "struct<time:string,detail:struct<id:string,output:struct<scores:array<double>>,context:struct<a:bigint>>,"
        "_rescued:string,_source_key:string,_source_offset:bigint>"
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([column_at("a", "x", "struct<y:string>"), column_at("b", "x.y")], "column b lies within another"),
        ([column_at("b", "x.y"), column_at("a", "x", "struct<y:string>")], "column a is of another type"),
        ([column_at("a", "x"), column_at("b", "x", "bigint")], "column b is of another type"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(columns: list[Column], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        event_type(columns)
