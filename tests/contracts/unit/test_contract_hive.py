import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.contracts.column_types import PRIMITIVES, HiveType, parse_hive

names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)


def _nested(inner: st.SearchStrategy[HiveType]) -> st.SearchStrategy[HiveType]:
    arrays = inner.map(lambda element: HiveType("array", (("element", element),)))
    members = st.dictionaries(names, inner, min_size=1, max_size=3)
    return arrays | members.map(lambda fields: HiveType("struct", tuple(fields.items())))


hive_types = st.recursive(st.sampled_from(sorted(PRIMITIVES)).map(HiveType), _nested, max_leaves=8)


@given(hive_types)
def test_what_is_written_is_read_back(hive: HiveType) -> None:
    assert parse_hive(str(hive)) == hive


def test_members_keep_their_order() -> None:
    hive = parse_hive("array<struct<score:double,array:array<string>>>")
    assert hive.kind == "array"
    assert [name for name, _ in hive.element.fields] == ["score", "array"]
    assert str(hive.element.fields[1][1].element) == "string"


def test_only_an_array_has_an_element() -> None:
    with pytest.raises(ValueError, match="string is not an array"):
        _ = parse_hive("string").element


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "String",
        "array",
        "array<>",
        "array<string",
        "array<string>>",
        "array<string,string>",
        "struct<>",
        "struct<a>",
        "struct<a:>",
        "struct<a:string,>",
        "struct<a:string,a:bigint>",
        "struct<:string>",
        "array < string >",
        "string string",
        "string\n",
        "struct<1a:string>",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Hive type"):
        parse_hive(text)
