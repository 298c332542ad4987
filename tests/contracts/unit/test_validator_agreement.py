import pytest

from cli.contracts.validator_agreement import DualValidator, json_pointer


def test_a_pointer_escapes_what_it_must() -> None:
    assert json_pointer(["a/b", "~", 0, ""]) == "/a~1b/~0/0/"
    assert json_pointer([]) == ""


def test_missing_members_are_named_one_by_one() -> None:
    validator = DualValidator({"required": ["a"], "properties": {"a": {"required": ["b", "c", "d"]}}})
    assert validator.broken({"a": {"c": 1}}) == {"/a/b", "/a/d"}
    assert validator.broken({}) == {"/a"}
    assert validator.rules({}) == {"required"}
    assert not validator.is_valid({})


def test_a_disagreement_of_the_validators_is_an_error() -> None:
    validator = DualValidator({"pattern": "a$"})
    assert validator.broken("a") == set()
    with pytest.raises(ValueError, match="the validators disagree"):
        validator.broken("a\n")


@pytest.mark.parametrize("schema", [{"type": "text"}, {"pattern": "("}])
def test_an_invalid_schema_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        DualValidator(schema)
