"""Comparison of another bucket with the lake: the files that may be copied."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.platform.console import CliError
from cli.vendor_exports.missing_hours import File, Folder, SlotPlan, SlotRoot, State, compare, hourly_root, sort_in
from cli.vendor_exports.slot_copies import redacted_manifest
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import MANIFEST, Slot, place_of

SLOT = Slot.parse("20260131-23")
TEST, PROD = Environment.TEST, Environment.PROD
ROOTS = {TEST: ("DEV/IMOSDL/Hourly/", "DEV/IMOS/Hourly/"), PROD: ("IMOSDL/Hourly/", "IMOS/Hourly/")}
Bucket = dict[str, tuple[int, str]]

NAMES = ("Voyage_1", "Voyage_2", "_MasterTableSchema.json", MANIFEST)
HOURS = ("20260131/23", "20260201/00")

SIGNATURE = "X-Amz-Signature=5ec2e7"
REWRITTEN = (3, "ETag of the copied manifest")

names = st.sampled_from([*NAMES, "..", "a\\b", "a\nb", ""])
hours = st.sampled_from([*HOURS, "20260131/24", "20260230/01", "2026013/1", "٢٠٢٦٠١٣١/23", ""])
roots = st.sampled_from([*ROOTS[TEST], *ROOTS[PROD], "", "DEV/", "DEV/DEV/IMOSDL/Hourly/", "x/IMOSDL/Hourly/"])
hostile = st.builds("{}{}/{}".format, roots, hours, names)
objects = st.tuples(st.integers(1, 2), st.sampled_from(["x", "y"]))
json_values = st.recursive(
    st.sampled_from([None, True, 0.5, SIGNATURE]) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["key", "size", "url"]) | st.text(), inner),
)


def keys_below(root: str) -> st.SearchStrategy[str]:
    return st.builds("{}{}/{}".format, st.just(root), st.sampled_from(HOURS), st.sampled_from(NAMES))


def buckets(root: str) -> st.SearchStrategy[Bucket]:
    """Buckets of files of slots, half of them all of one size, and of other objects."""
    good = st.dictionaries(keys_below(root), objects | st.just((1, "x")), max_size=8)
    return st.builds(lambda some, other: other | some, good, st.dictionaries(hostile, objects, max_size=8))


def lakes(source: Bucket, root: str, hourly: str) -> st.SearchStrategy[Bucket]:
    """Lakes that an interrupted copy left, half of them with other objects."""
    copied = {
        hourly + key.removeprefix(root): as_copied(key, found) for key, found in source.items() if key.startswith(root)
    }
    left = st.lists(st.booleans(), min_size=len(copied), max_size=len(copied)).map(
        lambda done: {key: found for (key, found), kept in zip(copied.items(), done, strict=True) if kept}
    )
    return left | st.builds(lambda some, other: other | some, left, buckets(hourly))


def as_copied(key: str, found: tuple[int, str]) -> tuple[int, str]:
    return REWRITTEN if key.endswith(f"/{MANIFEST}") else found


def folder(*names: str, size: int = 1, etag: str = "e") -> dict[str, File]:
    return {name: File(name, size, etag) for name in names}


def listing(bucket: Bucket) -> list[tuple[str, int, str]]:
    return [(key, size, etag) for key, (size, etag) in bucket.items()]


def is_same(slot: Slot, one: File, other: File) -> bool:
    """Tell whether two files of a size hold the same, as ETags tell here."""
    assert slot is not None
    assert one.size == other.size
    return one.etag == other.etag


def plans(source: Bucket, root: str, lake: Bucket, environment: Environment) -> list[SlotPlan]:
    theirs, _ = sort_in(root, listing(source))
    ours, _ = sort_in(environment.hourly, listing(lake))
    return [compare(slot, theirs[slot], ours.get(slot, {}), is_same) for slot in theirs]


@pytest.mark.parametrize(("environment", "root"), [(flow, root) for flow, of in ROOTS.items() for root in of])
def test_roots_of_the_flow_are_taken_and_those_of_the_other_refused(environment: Environment, root: str) -> None:
    other = PROD if environment is TEST else TEST
    assert hourly_root("", environment) == environment.hourly
    assert hourly_root(root, environment) == hourly_root(root.rstrip("/"), environment) == root
    with pytest.raises(CliError, match="never mixed"):
        hourly_root(root, other)


@pytest.mark.parametrize(
    "prefix",
    ["/", "DEV/", "dev/IMOSDL/Hourly/", "x/IMOSDL/Hourly/", "IMOSDL/Hourly//", "IMOSDL/Hourly/\n", "DEVIMOSDL/Hourly/"],
)
def test_prefixes_of_no_flow_are_refused(prefix: str) -> None:
    with pytest.raises(CliError, match="no prefix of a known flow"):
        hourly_root(prefix, PROD)


WHOLE = folder("A_1", "B_1", MANIFEST)


@pytest.mark.parametrize(
    ("theirs", "ours", "state", "copied", "differing", "only_here", "left"),
    [
        pytest.param(WHOLE, {}, State.MISSING, ["A_1", "B_1", MANIFEST], [], [], [], id="missing"),
        pytest.param(WHOLE, folder("A_1"), State.PARTIAL, ["B_1", MANIFEST], [], [], [], id="interrupted copy"),
        pytest.param(WHOLE, folder("A_1", "B_1"), State.PARTIAL, [MANIFEST], [], [], [], id="manifest lacking"),
        pytest.param(
            WHOLE, folder("A_1", size=2), State.DIFFERING, [], ["A_1"], [], ["B_1", MANIFEST], id="other size"
        ),
        pytest.param(
            WHOLE,
            folder("A_1", "B_1", etag="e2"),
            State.DIFFERING,
            [],
            ["A_1", "B_1"],
            [],
            [MANIFEST],
            id="other bytes",
        ),
        pytest.param(
            WHOLE, folder("A_1", "C_1"), State.DIFFERING, [], [], ["C_1"], ["B_1", MANIFEST], id="file of ours alone"
        ),
        pytest.param(
            WHOLE, folder("A_1", MANIFEST), State.DIFFERING, [], [MANIFEST], [], ["B_1"], id="gap beside a manifest"
        ),
        pytest.param(
            folder("A_1", "B_1"), folder("A_1", MANIFEST), State.DIFFERING, [], [], [MANIFEST], ["B_1"], id="none there"
        ),
        pytest.param(
            WHOLE, folder("A_1", "B_1") | folder(MANIFEST, size=9), State.SAME, [], [], [], [], id="other manifest"
        ),
        pytest.param(folder("A_1"), folder("A_1", MANIFEST), State.SAME, [], [], [], [], id="manifest of ours alone"),
    ],
)
def test_a_slot_is_copied_unless_it_differs(
    theirs: Folder,
    ours: Folder,
    state: State,
    copied: list[str],
    differing: list[str],
    only_here: list[str],
    left: list[str],
) -> None:
    found = compare(SLOT, theirs, ours, is_same)
    assert (found.state, [file.name for file in found.files]) == (state, copied)
    assert (list(found.differing), list(found.only_here), list(found.left)) == (differing, only_here, left)
    assert (found.bytes, found.present) == (len(copied), frozenset(ours))


@given(st.lists(st.fixed_dictionaries({"key": st.just("guid/é A_1"), "size": st.integers(0, 9), "url": json_values})))
def test_no_url_of_a_manifest_is_kept(entries: list[dict[str, object]]) -> None:
    kept = redacted_manifest(json.dumps(entries).encode()) or b""
    assert json.loads(kept) == [{"key": entry["key"], "size": entry["size"]} for entry in entries]
    assert redacted_manifest(kept) == kept


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_a_manifest_is_a_list_of_keys_and_sizes(body: bytes) -> None:
    kept = redacted_manifest(body)
    if kept is not None:
        entries = json.loads(kept)
        assert isinstance(json.loads(body), list)
        assert all(entry.keys() == {"key", "size"} and isinstance(entry["key"], str) for entry in entries)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"no JSON", b"{}", b'""', b"null", b"[1]", b"[[]]", b'["key"]', b"[" * 100_000),
        *(b'[{"key": "A_1"}]', b'[{"size": 1}]', b'[{"key": "A_1", "size": "1"}]', b'[{"key": {"url": 1}, "size": 1}]'),
        *(b'[{"key": "A_1", "size": 1}, {}]', b'[{"key": "\xff", "size": 1}]', b'[{"key": "A_1", "size": 1}'),
    ],
)
def test_invalid_manifests_are_refused(body: bytes) -> None:
    assert redacted_manifest(body) is None


@given(st.sampled_from(Environment), st.sampled_from([0, 1]), st.data())
def test_a_plan_stays_in_its_flow_replaces_nothing_and_is_idempotent(
    environment: Environment, root_number: int, data: st.DataObject
) -> None:
    root = hourly_root(ROOTS[environment][root_number], environment)
    source = data.draw(buckets(root))
    lake = data.draw(lakes(source, root, environment.hourly))
    before = dict(lake)
    for plan in plans(source, root, lake, environment):
        for file in plan.files:
            assert plan.state in {State.MISSING, State.PARTIAL}
            copied, target = (SlotRoot("", prefix).key(plan.slot, file.name) for prefix in (root, environment.hourly))
            assert copied in source
            assert copied.startswith("DEV/") == target.startswith("DEV/") == (environment is TEST)
            assert place_of(target, environment.hourly) == (plan.slot, file.name)
            assert target not in lake
            lake[target] = as_copied(copied, source[copied])
    assert before.items() <= lake.items()
    again = plans(source, root, lake, environment)
    assert not any(plan.files for plan in again)
    assert {plan.state for plan in again} <= {State.SAME, State.DIFFERING}
