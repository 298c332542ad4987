"""The check finds every kind of broken contract; each test breaks a copy of the real ones in one way."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cli.contracts.check import check_registry
from cli.contracts.recorded_types import record_types
from cli.contracts.samples import write_samples
from sluice.contracts.formats import FORMATS
from sluice.contracts.load import TABLES, load_contract, load_registry, read_json
from sluice.contracts.model import ContractError

Edit = Callable[[Any], object]
Spoil = Callable[[Path], object]

EVENT = "event_files/MICROONE_EVENT"
SHARED_SUMMARY = "shared/summary/evaluation.schema.json"


def edit(root: Path, file: str, change: Edit) -> None:
    path = root / file
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def payload(schema: Any) -> Any:
    return schema["properties"]["detail"]["properties"]["evaluation"]["properties"]["payload"]["properties"]


COLUMN = {"name": "extra", "path": "detail.evaluation.payload.slide", "type": "string", "doc": "d"}


def column(**change: Any) -> Edit:
    """Put one column at the end of the table's own list."""
    return lambda table: table["columns"].append({**COLUMN, **change})


def first_column(**change: Any) -> Edit:
    return lambda table: table["columns"].insert(0, {**COLUMN, **change})


def correction(rule: str, member: str) -> Edit:
    return lambda table: table["corrections"].append({"rule": rule, "member": member})


def found(root: Path) -> dict[str, str]:
    problems: dict[str, list[str]] = {}
    for problem in check_registry(root):
        problems.setdefault(problem.table, []).append(problem.message)
    return {table: "\n".join(messages) for table, messages in problems.items()}


TABLE_FAULTS: list[tuple[Edit, str]] = [
    (column(path="detail.evaluation.payload.slied"), "no member 'slied'"),
    (column(path="detail.evaluation.payload.text.words"), "payload.text may be string, which is not object"),
    (column(path=["detail", "a\0b"]), "conversion reads no NUL in names"),
    (column(path="_rescued"), "nor members named like a technical column"),
    (column(path=["detail.evaluation"]), "the event has no member 'detail.evaluation'"),
    (column(type="bigint"), "may be string, which is not integer"),
    (column(type="array<string>"), "may be string, which is not array"),
    (column(type="timestamp"), "no member of an event is a timestamp"),
    (column(type="varchar"), "'varchar' is not a Hive type"),
    (column(path="detail.timestamp", type="double"), "minimum from -9007199254740992"),
    (column(path="detail.tags"), "detail.tags may be anything"),
    (column(name="text"), "column text is there 2 times"),
    (column(name="_rescued"), "column _rescued is there 2 times"),
    (column(name="hour"), "column hour: the name is reserved"),
    (column(name="Payload"), "column Payload: the name is reserved, or not of the form"),
    (column(doc=""), "doc is empty"),
    (first_column(path="detail.evaluation", type="struct<type:string>"), "lies within another"),
    (column(path="detail.evaluation", type="struct<type:string>"), "is of another type than what stands at its path"),
    (lambda table: table.update(columns=[{"$ref": "../../shared/evaluation.columns.json"}]), "no column date_time"),
    (lambda table: table.update(corrections=[]), "column paragraph string: detail.evaluation.payload.paragraph"),
    (correction("polish", "id"), "there is no correction 'polish'"),
    (correction("json_text", "detail.nothing"), "no member 'nothing'"),
    (correction("media_uri", "id"), "id may be string"),
    (lambda table: table["recognise"].update(kind="PRED"), "ends with its kind, here _PRED"),
    (lambda table: table["recognise"].update(kind="OTHER"), "has no kind 'OTHER'"),
    (lambda table: table["recognise"].update(services=[]), "recognise.services is empty"),
    (lambda table: table["recognise"].update(services=["microone", "m1"]), "recognition ['m1', 'microone']"),
    (lambda table: table.update(version=0), "version is 0"),
    (lambda table: table.update(doc=""), "doc is empty; say what a row of the table is"),
    (lambda table: table.pop("recognise"), "a member is missing or of the wrong kind: 'recognise'"),
    (lambda table: table.update(columns=[{"$ref": "../../shared/none.json"}]), "none.json: there is no such file"),
    (lambda table: table.update(corection=[]), "has a member corection, which nobody reads: did you mean corrections?"),
    (lambda table: table["recognise"].update(alias=["m1"]), "recognise has a member alias, which nobody reads"),
    (column(name="b", nullable=False), "has a member nullable, which nobody reads"),
]


@pytest.mark.parametrize(("change", "message"), TABLE_FAULTS, ids=[message for _, message in TABLE_FAULTS])
def test_a_fault_in_table_json_is_named(twins: Path, change: Edit, message: str) -> None:
    edit(twins, f"{EVENT}/table.json", change)
    problems = found(twins)
    assert problems.keys() == {"MICROONE_EVENT"}
    assert message in problems["MICROONE_EVENT"]


def _retyped(member: str, schema: Any) -> Edit:
    return lambda content: payload(content).update({member: schema})


TEXT = {"type": ["string", "null"]}
SCHEMA_FAULTS: list[tuple[Edit, str]] = [
    (_retyped("paragraph", {"type": ["integer", "null"]}), "is not bounded"),
    (_retyped("paragraph", {"type": "integer", "minimum": -(2**63), "maximum": 5}), "is not bounded"),
    (_retyped("other", {"type": "number", "minimum": 0, "maximum": 2**60}), "is not bounded"),
    (_retyped("other", {"type": "array", "items": {"type": "integer"}}), "other/items is not bounded"),
    (_retyped("slide", {"type": ["string", "array"]}), "may be array, which is not string"),
    (_retyped("slide", {}), "payload.slide may be anything"),
    (_retyped("slide", True), "does not describe detail.evaluation.payload.slide"),
    (_retyped("slide", {"enum": ["a", 1]}), "may be integer, which is not string"),
    (_retyped("slide", {"type": "string", "pattern": "("}), "schema.json is no valid schema"),
    (_retyped("slide", {"type": ["string", "null"], "pattern": r"^\d"}), "validators read differently"),
    (_retyped("slide", {"type": ["string", "null"], "pattern": "a$"}), "validators read differently"),
    (_retyped("slide", {"$ref": "nowhere.schema.json"}), "nowhere.schema.json: there is no such file"),
    (_retyped("slide", {"type": ["string", "null"], "additionalProperties": False}), "uses additionalProperties"),
    (
        _retyped("slide", {**TEXT, "maxLenght": 5}),
        "slide uses maxLenght, which nobody enforces: did you mean maxLength?",
    ),
    (_retyped("slide", {**TEXT, "nullable": True}), 'nullable, which nobody enforces: use a type with "null"'),
    (_retyped("slide", {**TEXT, "definitions": {}}), "definitions, which nobody enforces: use $defs"),
    (_retyped("slide", {**TEXT, "$id": "slide"}), "$id, which nobody enforces: use $ref with a file"),
    (_retyped("slide", {**TEXT, "contentMediaType": "image/png"}), "contentMediaType, which nobody enforces"),
    (_retyped("slide", {**TEXT, "if": {"minLenght": 1}, "then": {}}), "slide/if uses minLenght, which nobody enforces"),
    (_retyped("slide", {**TEXT, "format": "phone"}), "slide has the format phone, which is not checked"),
    (_retyped("slide", {**TEXT, "minimum": 5}), "slide uses minimum, which says nothing of null or string"),
    (_retyped("slide", {**TEXT, "allOf": [{"items": {}}, {}]}), "uses items, which says nothing of null or string"),
    (_retyped("other", {"type": "integer", "format": "uuid"}), "uses format, which says nothing of integer"),
    (_retyped("slide", {**TEXT, "then": {"minLength": 1}}), "slide uses then, which means nothing without if"),
    (_retyped("slide", {**TEXT, "if": {"minLength": 1}}), "slide uses if, which means nothing without then or else"),
    (_retyped("slide", {**TEXT, "minLength": 5, "maxLength": 3}), "slide: nothing has minLength 5 and maxLength 3"),
    (
        _retyped("slide", {**TEXT, "maxLength": 9, "allOf": [{"maxLength": 5}]}),
        "slide: its schemas state maxLength 5 and 9; state it once",
    ),
    (
        _retyped("other", {"$ref": "../types.schema.json#/$defs/int64", "minimum": 7, "exclusiveMaximum": 7}),
        "other: nothing has minimum 7 and exclusiveMaximum 7",
    ),
    (
        _retyped("other", {"items": {"minItems": 2}, "type": "array", "allOf": [{"items": {"maxItems": 1}}]}),
        "other/*: nothing has minItems 2 and maxItems 1",
    ),
    (lambda schema: schema.update({"$schema": "http://json-schema.org/draft-07/schema#"}), "schemas are written in"),
]


@pytest.mark.parametrize(("change", "message"), SCHEMA_FAULTS, ids=[message for _, message in SCHEMA_FAULTS])
def test_a_fault_in_a_shared_schema_is_named_for_each_table_it_is_in(twins: Path, change: Edit, message: str) -> None:
    edit(twins, SHARED_SUMMARY, change)
    problems = found(twins)
    assert problems.keys() == {"MICROONE_EVENT", "SUMMARIZER_EVENT"}
    assert all(message in text for text in problems.values())


@pytest.mark.parametrize(
    "schema",
    [
        *({**TEXT, "format": name} for name in FORMATS),
        {**TEXT, "format": "uuid", "pattern": "^8"},
        {**TEXT, "minLength": 3, "allOf": [{"maxLength": 30}, {"minLength": 3}]},
        {"$ref": "../types.schema.json#/$defs/int64_or_null", "minimum": 0, "maximum": 9},
    ],
    ids=str,
)
def test_what_is_enforced_is_no_fault(twins: Path, schema: Any) -> None:
    shutil.rmtree(twins / "dvaults")
    edit(twins, SHARED_SUMMARY, _retyped("other", schema))
    assert check_registry(twins) == []


def test_a_type_that_changes_under_the_same_version_is_named(twins: Path) -> None:
    """The schema follows, so that the version is all that is wrong."""
    shutil.rmtree(twins / "dvaults")
    edit(twins, SHARED_SUMMARY, _retyped("slide", {"$ref": "../types.schema.json#/$defs/int64_or_null"}))
    own = twins / EVENT
    table = json.loads((own / "table.json").read_text(encoding="utf-8"))
    columns = [asdict(column) for column in load_contract(own).columns]
    next(each for each in columns if each["name"] == "slide")["type"] = "bigint"
    (own / "table.json").write_text(json.dumps({**table, "columns": columns}), encoding="utf-8")
    message = "column slide was string in version 1, and is bigint now: raise the version"
    assert message in found(twins)["MICROONE_EVENT"]
    with pytest.raises(ContractError, match=message):
        record_types(load_contract(own), own)
    edit(twins, f"{EVENT}/table.json", lambda content: content.update(version=2))
    write_samples(load_contract(own), own)
    assert check_registry(twins) == []
    record_types(load_contract(own), own)


def test_the_types_of_all_tables_are_recorded() -> None:
    for contract in load_registry().contracts:
        record = read_json(TABLES / contract.family.name / contract.table / "recorded.json")
        columns = {column.name: column.type for column in contract.columns}
        assert record == {"version": contract.version, "columns": columns}, (
            f"run: sluice contract record {contract.table}"
        )


def test_a_struct_member_that_does_not_fit_is_named(tree: Path) -> None:
    def loosen(schema: Any) -> None:
        prediction = schema["properties"]["detail"]["properties"]["prediction"]["properties"]
        prediction["output"]["properties"]["metadata"]["items"]["properties"]["idx"] = {"type": "string"}

    edit(tree, "shared/summary/prediction.schema.json", loosen)
    problems = found(tree)
    assert problems.keys() == {"MICROONE_PRED", "SUMMARIZER_PRED"}
    assert "metadata[].idx may be string, which is not integer" in problems["MICROONE_PRED"]


LOOSE_TIMES = {
    "any text": (("", ".*|"), "''"),
    "leap days of every year": (("2[0-8]", "2[0-9]"), "'2001-02-29T18:20:03Z'"),
    "the 31st of April": (("30)", "3[01])"), "'2000-04-31T18:20:03Z'"),
    "no leap day in 2028": (("^(?:", "^(?!2028-02-29)(?:"), "'2028-02-29T18:20:03Z'"),
    "a year without partition": (("^(?:20", "^(?:2[01]"), "'2100-01-01T18:20:03Z'"),
    "month 27": (("1[02]", "1[02]|27"), "'2000-27-01T18:20:03Z'"),
    "hour 27": (("2[0-3]", "2[0-37]"), "'2022-04-19T27:20:03Z'"),
    "minute 61": (("[0-5][0-9]", "[0-6][0-9]"), "'2022-04-19T18:60:03Z'"),
    "a prefix": (("^", ""), "'x2022-04-19T18:20:03Z'"),
    "a suffix": (("(?![\\s\\S])", ""), "'2022-04-19T18:20:03ZZ'"),
    "small letters": ((")T(", ")[Tt]("), "'2022-04-19t18:20:03Z'"),
}


@pytest.mark.parametrize(("change", "misjudged"), LOOSE_TIMES.values(), ids=LOOSE_TIMES.keys())
def test_a_pattern_that_admits_other_times_is_named(twins: Path, change: tuple[str, str], misjudged: str) -> None:
    def loosen(types: Any) -> None:
        time = types["$defs"]["utc_time"]
        time["pattern"] = time["pattern"].replace(*change, 1)

    edit(twins, "shared/types.schema.json", loosen)
    problems = found(twins)
    assert problems.keys() == {"MICROONE_EVENT", "SUMMARIZER_EVENT"}
    assert f", such as {misjudged}: use the shared utc_time" in problems["MICROONE_EVENT"]


def test_a_schema_that_admits_another_kind_is_named(tree: Path) -> None:
    def rename(schema: Any) -> None:
        schema["properties"]["detail-type"]["const"] = "EFPredictionEvent"

    edit(tree, "event_files/evaluation.schema.json", rename)
    assert "admits ['EFPredictionEvent'] as detail-type" in found(tree)["MICROTWO_EVENT"]


def _copy(source: str, target: str) -> Spoil:
    return lambda root: shutil.copytree(root / source, root / target)


def _family(**change: Any) -> Spoil:
    return lambda root: edit(root, "dvaults/family.json", lambda family: family.update(change))


FOLDER_FAULTS: list[tuple[Spoil, str, str]] = [
    (_copy(EVENT, "event_files/COPY_EVENT"), "MICROONE_EVENT", "claimed by COPY_EVENT and MICROONE_EVENT"),
    (
        _copy("dvaults/SUMMARIZER_EVENT", "event_files/SUMMARIZER_EVENT"),
        "SUMMARIZER_EVENT",
        "table name summarizer_event is claimed by dvaults/SUMMARIZER_EVENT and event_files/SUMMARIZER_EVENT",
    ),
    (
        lambda root: edit(root, "dvaults/family.json", lambda family: family.update(source="APP.Event.File")),
        "event_files",
        "source app.event.file is claimed by dvaults and event_files",
    ),
    (
        lambda root: edit(root, "dvaults/family.json", lambda family: family.pop("kinds")),
        "dvaults",
        "a member is missing",
    ),
    (
        _family(kinds={"DVaultPredictionEvent": "OTHER"}),
        "dvaults",
        "no kind 'OTHER'; there are EVENT and PRED",
    ),
    (_family(service={"PRED": ["/a"]}), "dvaults", "a member is missing or of the wrong kind: 'EVENT'"),
    (_family(service={"PRED": ["a"], "EVENT": ["/a"]}), "dvaults", "'a' is no JSON pointer to a member"),
    (_family(service={"PRED": "/a", "EVENT": ["/a"]}), "dvaults", "service lists JSON pointers for each kind"),
    (_family(service={"PRED": ["/a"], "EVENT": [{"of": "/a"}]}), "dvaults", "of the wrong kind: 'after_last'"),
    (
        _family(time="/detail/timestamp"),
        "SUMMARIZER_EVENT",
        "no column date_time of type string with the path detail",
    ),
    (_family(time="/detail/tags"), "SUMMARIZER_EVENT", "the schema does not require detail.tags, which the partition"),
    (_family(id="/account"), "SUMMARIZER_EVENT", "there is no column id of type string with the path account"),
    (
        lambda root: edit(root, "dvaults/family.json", lambda family: family.update(sources=["x"])),
        "dvaults",
        "family.json has a member sources, which nobody reads: did you mean source?",
    ),
    (lambda root: (root / EVENT / "recorded.json").write_text("{}"), "MICROONE_EVENT", "recorded.json cannot be read"),
    (lambda root: (root / EVENT / "table.json").write_text("{"), "MICROONE_EVENT", "this is not JSON"),
    (lambda root: (root / EVENT / "table.json").unlink(), "MICROONE_EVENT", "table.json: there is no such file"),
    (lambda root: (root / EVENT / "dirty.json").unlink(), "MICROONE_EVENT", "samples MICROONE_EVENT` makes it"),
]


@pytest.mark.parametrize(("spoil", "table", "message"), FOLDER_FAULTS, ids=[message for *_, message in FOLDER_FAULTS])
def test_a_fault_of_folders_is_named(twins: Path, spoil: Spoil, table: str, message: str) -> None:
    spoil(twins)
    assert message in found(twins)[table]


def test_no_contracts_at_all_is_a_problem(tmp_path: Path) -> None:
    assert "there is no family here" in check_registry(tmp_path)[0].message


SAMPLE_FAULTS: list[tuple[str, Edit, str]] = [
    ("clean.json", lambda samples: samples[0].pop("account"), "it breaks ['/account'], its label says nothing"),
    ("clean.json", lambda samples: samples[1].update(source="x"), "sample 1: it is not recognised as an event of"),
    ("clean.json", lambda samples: samples.clear(), "clean.json holds no list of samples"),
    ("clean.json", lambda samples: samples.append("x"), "a clean one is an event"),
    (
        "dirty.json",
        lambda samples: samples[0].update(breaks=["/detail/evaluation/payload/slide"]),
        "its label says ['/detail/evaluation/payload/slide']",
    ),
    ("dirty.json", lambda samples: samples[0]["breaks"].append("/id"), "its label says"),
    ("dirty.json", lambda samples: samples[0].pop("breaks"), "a dirty sample has an event and the pointers it breaks"),
    ("dirty.json", lambda samples: samples.append("x"), "a dirty sample has an event and the pointers it breaks"),
]


@pytest.mark.parametrize(("file", "change", "message"), SAMPLE_FAULTS)
def test_a_wrong_label_is_named(twins: Path, file: str, change: Edit, message: str) -> None:
    edit(twins, f"{EVENT}/{file}", change)
    problems = found(twins)
    assert problems.keys() == {"MICROONE_EVENT"}
    assert message in problems["MICROONE_EVENT"]
