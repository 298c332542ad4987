"""Exports from vendors with the habits of other servers and writers: all arrives, with patience where it takes some."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Fault, Target
from cli.simulator import habit_faults, vendor_faults
from cli.simulator.exports import files_of
from cli.simulator.fault_catalogue import CATALOGUE
from cli.simulator.http_messages import Call
from cli.simulator.vendor import Vendor
from sluice.vendor_exports.client.api import CredentialsRefusedError
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE
from tests.vendor_exports.integration.exporting import EXPORTS, FOLDER, Exporting, export

__all__ = ["export"]

pytestmark = pytest.mark.usefixtures("roles")

CONTENTS = {name: file.read() for name, file in files_of(EXPORTS).items()}
BIG = next(name for name, file in files_of(EXPORTS).items() if file.size == EXPORTS.big_bytes)
VOYAGE, ODD = vendor_faults.A_FILE, vendor_faults.A_FILE.replace(".", habit_faults.NO_BREAK_SPACE)


def run(export: Exporting, *faults: Fault) -> dict[str, Any]:
    export.simulator.vendor.faults = faults
    return export.run()


def assert_delivered(state: dict[str, Any], contents: dict[str, bytes] = CONTENTS) -> None:
    assert (state["result"]["status"], state["result"]["cause"]) == ("delivered", "")
    landed = objects_of(LAKE, FOLDER)
    assert landed.keys() - {f"{FOLDER}_PresignedUrls.json"} == {FOLDER + name for name in contents}
    assert {name: landed[FOLDER + name] for name in contents} == contents
    assert state["result"]["promised"] == len(contents)


HABITS: dict[tuple[str, ...], dict[str, bytes]] = {
    **{(name,): CONTENTS for name in ("accepted-with-201", "accepted-with-202", "camel-case", "snake-case", "utf-16")},
    **{(name,): CONTENTS for name in ("byte-order-mark", "json-in-json", "sizes-as-text", "sizes-as-decimals")},
    **{(name,): CONTENTS for name in ("urls-padded", "folder-markers", "refusal-duration")},
    **{(f"{call}-misdirected",): CONTENTS for call in Call},
    ("no-break-space",): {name.replace(VOYAGE, ODD): body for name, body in CONTENTS.items()},
    ("file-empty-with-204",): CONTENTS | {VOYAGE: b""},
    ("triggered-elsewhere", "refusal-duration", "refused-with-429"): CONTENTS,
}


@pytest.mark.parametrize("names", HABITS, ids="+".join)
def test_habits(export: Exporting, names: tuple[str, ...]) -> None:
    state = run(export, *(CATALOGUE[name].make() for name in names))
    assert_delivered(state, HABITS[names])
    assert state["check"]["waited_seconds"] <= 3 * 60, "at once"


def test_a_token_that_expires_is_renewed_at_once(export: Exporting) -> None:
    state = run(export, vendor_faults.tokens_expire(after=1), habit_faults.denied_with(403))
    assert_delivered(state)
    assert (state["check"]["waited_seconds"], state["check"]["unknown"]) == (60, 0)


@pytest.mark.parametrize("status", [403, 419])
def test_a_secret_that_is_rotated_before_the_list(export: Exporting, status: int) -> None:
    def rotate(vendor: Vendor) -> None:
        vendor.faults = (vendor_faults.secret_rotated(), habit_faults.denied_with(status))
        export.write_secret(vendor.credentials.next_secret)

    assert_delivered(run(export, vendor_faults.vendor_action(Target(Call.LIST, times=1), rotate)))


@pytest.mark.parametrize("call", [Call.TOKEN, Call.EXPORT, Call.STATUS, Call.LIST])
def test_credentials_that_are_refused_for_good(export: Exporting, call: Call) -> None:
    with pytest.raises(CredentialsRefusedError, match=r"the vendor refuses our credentials \(403\), new ones too"):
        run(export, transport_faults.http_error(Target(call), 403))
    assert len(export.simulator.requests(call)) == 2


# Patience


SLOW: dict[str, tuple[Callable[[], Fault], str, int]] = {
    "trigger": (lambda: transport_faults.busy(Target(Call.EXPORT, times=2), 120), "trigger", 2 * 121),
    "status": (lambda: transport_faults.busy(Target(Call.STATUS, times=2), 120), "check", 2 * 121),
    "list": (lambda: transport_faults.busy(Target(Call.LIST, times=2), 120), "delivery", 2 * 121),
    "list, later": (lambda: transport_faults.busy(Target(Call.LIST, after=1, times=1), 120), "delivery", 121),
    "a file": (lambda: transport_faults.busy(Target(Call.FILE, VOYAGE, times=5), 600), "delivery", 5 * 601),
    "SlowDown": (lambda: habit_faults.slow_down(times=4 * 4), "delivery", 60 + 61 + 122 + 244),
}


@pytest.mark.parametrize(("fault", "place", "seconds"), SLOW.values(), ids=SLOW)
def test_the_machine_waits_for_a_busy_vendor(
    export: Exporting, fault: Callable[[], Fault], place: str, seconds: int
) -> None:
    """As long as it asks for, and longer than three rounds of copying take."""
    state = run(export, fault())
    assert_delivered(state)
    assert seconds <= state[place]["waited_seconds"] < seconds + 200


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (transport_faults.http_error(Target(Call.LIST), 502), "files: the vendor answered 502, 5 times"),
        (transport_faults.html_page(Target(Call.LIST)), "files: the vendor answered 200 with something else"),
    ],
)
def test_a_list_that_never_comes(export: Exporting, fault: Fault, cause: str) -> None:
    state = run(export, fault)
    assert state["result"]["cause"].startswith("the vendor gave no list within 75 minutes of waiting: export ")
    assert cause in state["result"]["cause"]
    assert 4400 < state["delivery"]["waited_seconds"] <= 4500


def test_files_that_never_come(export: Exporting) -> None:
    state = run(export, habit_faults.slow_down(None), transport_faults.http_error(Target(Call.FILE, BIG), 404))
    assert state["result"]["status"] == "incomplete"
    assert 3600 < state["delivery"]["waited_seconds"] <= 4500
    reasons = {VOYAGE: "the server answered 503 SlowDown, again and again", BIG: "the server answered 404"}
    assert export.result()["reasons"] == reasons


# Copies that were cut off


RANGES = ("range-refused", "range-ignored", "range-unnamed", "range-elsewhere")


@pytest.mark.parametrize("names", [*RANGES, ""])
def test_a_copy_that_was_cut_off_goes_on_or_starts_over(export: Exporting, names: str) -> None:
    cut = transport_faults.truncated(Target(Call.FILE, BIG, times=1))
    assert_delivered(run(export, cut, *(CATALOGUE[name].make() for name in [names] if name)))
    assert len([request for request in export.simulator.requests(Call.FILE) if request.file == BIG]) == (
        3 if names else 2
    )
