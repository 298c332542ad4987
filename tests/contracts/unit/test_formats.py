"""Formats are patterns; the validator's own checks of formats, which share no code with them, judge alike."""

import json
import random
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest

from cli.contracts.generation import generate_event, mutate_event
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.formats import FORMATS
from sluice.contracts.load import Composer, load_registry, read_json
from sluice.event_files.validate.rules import Rules

CASES = {
    "date-time": (
        "2022-02-28T10:00:00Z|2022-02-29T10:00:00Z|2020-02-29t10:00:00z|"
        "2000-02-29T00:00:00.123456789+23:59|1900-02-29T00:00:00Z|1998-12-31T23:59:60Z|"
        "1998-12-31T22:59:60Z|1998-12-31T23:59:61Z|2022-04-31T10:00:00Z|2022-04-19 10:00:00Z|"
        "2022-04-19T10:00:00|2022-04-19T24:00:00Z|2022-04-19T10:00:00+24:00|2022-04-19T10:00:00Z\n|"
        "2022-4-19T10:00:00Z|2022-04-19T10:00Z|2022-04-19T10:00:00.Z|२०२२-04-19T10:00:00Z|"
    ),
    "date": (
        "2022-02-28|2022-02-29|2400-02-29|2100-02-29|2022-13-01|2022-00-10|2022-1-1|20220101|"
        "2022-W01-1|0000-01-01|9999-12-31|2022-02-28\n| 2022-02-28|2022-06-31"
    ),
    "time": (
        "10:00:00Z|10:00:00+01:00|10:00:00|24:00:00Z|23:59:60Z|10:00:60Z|10:60:00Z|10:00:00.5Z|10:00Z|"
        "10:00:00z|10:00:00+1:00"
    ),
    "duration": ("P1D|PT1H|P1Y2M3DT4H5M6S|P|PT|P1W|P1W2D|P1YT|1D|P1D2M|PT1S1M|P1Y1D|P0D|P1.5D|p1d"),
    "uuid": (
        "85415ad1-0000-4000-8000-000000000000|85415AD1-0000-4000-8000-00000000000F|"
        "85415ad1000040008000000000000000|85415ad1-0000-4000-8000-00000000000|"
        "{85415ad1-0000-4000-8000-000000000000}|85415ad1-0000-4000-8000-00000000000g|"
        "85415ad1-0000-4000-8000-000000000000\n"
    ),
    "email": (
        "a@b.c|a.b+c@d-e.org|a@localhost|a@|@b|a@b@c|a..b@c.d|.a@b.c|a.@b.c|a b@c.d|a@-b.c|a@b_c.d|"
        "a@[127.0.0.1]|a@[300.0.0.1]|ab|a@b.c\n|joe.bloggs@example.com|te~st@example.com"
    ),
    "hostname": ("a|a.b.c|-a|a-|a_b|a..b|.a|1.2.3.4|a.b\n|xn--nxasmq6b|a.|ä.de"),
    "ipv4": ("1.2.3.4|255.255.255.255|256.1.1.1|1.2.3|01.2.3.4|1.2.3.4 |1.2.3.4.5|0.0.0.1|0x7f.0.0.1|1.2.3.4\n"),
    "ipv6": (
        "::|::1|1::|1:2:3:4:5:6:7:8|1:2:3:4:5:6:7::|::2:3:4:5:6:7:8|1:2:3:4:5:6:7:8:9|1::2::3|12345::|"
        "1:2:3:4:5:6:1.2.3.4|::1.2.3.4|::1.2.3.400|::1%eth0|1:2:3:4:5:6:7|:1:2:3:4:5:6:7:8|fe80::a%1|"
        "[::1]|1:2:3::4:5:6:7:8|::1\n"
    ),
    "uri": (
        "http://a.b/c?d=e#f|urn:a:b|a:|mailto:a@b.c|//a/b|/a|http://a b|http://[::1]/|http://[::1|"
        "http://a/%zz|http://a/%20|s3://bucket/key|http://a/[b]|1a:b|a#b|http://a/b#c#d|http://ä.de/|"
        "http://a\\b|http:// a|http://a:80x/|http://u:p@h:80/|a|http://a/b\n|http://a/<b>|"
        "tel:+1-816-555-1212"
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_texts_are_judged_as_the_validator_would(name: str) -> None:
    judge = jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True)
    ours = DualValidator({"pattern": FORMATS[name]})
    texts = [*CASES[name].split("|"), *("a" * length for length in (63, 64))]
    verdicts = {text: not ours.broken(text) for text in texts}
    assert verdicts == {text: judge.is_valid(text) for text in texts}
    assert set(verdicts.values()) == {True, False}


@pytest.mark.parametrize("name", FORMATS)
def test_an_event_of_another_format_is_dirty(name: str, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps({"type": "string", "format": name}), encoding="utf-8")
    schema = Composer(read_json).compose(tmp_path / "schema.json")
    model = load_registry().contract("MICROTWO_EVENT")
    members = {**model.schema["properties"], "code": schema}
    contract = replace(
        model, schema={**model.schema, "properties": members, "required": [*model.schema["required"], "code"]}
    )
    rules, rng = Rules(contract), random.Random(1)
    for _ in range(20):
        event = generate_event(contract, rng)
        assert not rules.breaks(event), event["code"]
        wrong, _ = mutate_event(contract, event, rng)
        assert rules.breaks(wrong)
    (broken,) = rules.breaks({**event, "code": "no such thing"})
    assert broken == ("format", "/code", f"the value is not of the format {name}")
