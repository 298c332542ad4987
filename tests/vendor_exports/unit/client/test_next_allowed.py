"""The time in the vendor's sentence: found in any words, and never trusted."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.simulator.jobs import Wording
from sluice.vendor_exports.client.next_allowed import next_allowed

NOW = datetime(2026, 3, 4, 12, 10, 5, tzinfo=UTC)
LAST, NEXT = NOW - timedelta(minutes=20), NOW + timedelta(minutes=40)
SILENT = {Wording.NEVER, Wording.FAR_FUTURE, Wording.UNPARSABLE, Wording.IMPOSSIBLE}


@pytest.mark.parametrize("wording", sorted(set(Wording) - SILENT))
def test_the_simulators_sentences(wording: Wording) -> None:
    found = next_allowed(wording.sentence(LAST, NEXT, NOW), NOW)
    assert found is not None
    assert timedelta() <= found - NEXT <= timedelta(minutes=1)


@pytest.mark.parametrize("wording", sorted(SILENT))
def test_sentences_without_a_time_that_makes_sense(wording: Wording) -> None:
    assert next_allowed(wording.sentence(LAST, NEXT, NOW), NOW) is None


def at(hour: int, minute: int = 0, second: int = 0, days: int = 0) -> datetime:
    return datetime(2026, 3, 4, hour, minute, second, tzinfo=UTC) + timedelta(days=days)


@pytest.mark.parametrize(
    ("sentence", "moment"),
    [
        ("Next: 2026-03-04 13:00:00.123Z", at(13) + timedelta(milliseconds=123)),
        ("Next: 2026/03/04 13:00", at(13)),
        ("Next: 2026.03.04 13:00", at(13)),
        ("Next: 2026-03-04T08:00:00-0500", at(13)),
        ("Next: 3/4/2026 1:00:07 pm UTC", at(13, 0, 7)),
        ("Next: 3/4/2026, 1:00\u202fPM", at(13)),
        ("Next: 3/4/2026 1:00 p.m.", at(13)),
        ("Next: March 4, 2026 13:00 GMT", at(13)),
        ("Next: March 4th, 2026 at 1:00 PM", at(13)),
        ("Next: 4th March 2026 at 13:00", at(13)),
        ("Next: 4-Mar-2026 13:00", at(13)),
        ("Next: Saturday is far, but 04 Mar 2026 at 13:00 is not.", at(13)),
        ("Try again after 13:00 UTC 4 March 2026.", at(13)),
        ("Try again at 13:00.", at(13)),
        ("Try again at 1:05:09 PM UTC.", at(13, 5, 9)),
        ("Try again at 02:00 (UTC).", at(2, days=1)),
        ("Try again at 14:00+01:00.", at(13)),
        ("Try again at 01:00+13:00.", at(12, days=1)),
        ("2 of 3 exports, limit 1 per 60 minutes; next 2026-03-04 13:00:00, code 40917.", at(13)),
        ("Last 2026-03-04 12:00:00, next 2026-03-04 13:00:00", at(13)),
        ("Next 2026-03-04 13:00:00, last 2026-03-04 12:00:00", at(13)),
        ("Last 2026-03-04 12:00:00, next at 13:00:00", at(13)),
        ("Next 2026-03-04 13:00:00 (it is 12:10:06)", at(13)),
        ("Allowed since 2026-03-04 12:10:00", at(12, 10)),
        ("line one\r\nnext:\t2026-03-04\n13:00:00\n", at(13)),
        ("2026-03-05 13:00:00", at(13, days=1)),
    ],
)
def test_other_sentences(sentence: str, moment: datetime) -> None:
    assert next_allowed(sentence, NOW) == moment


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Try again later.",
        "Try again in 07:11.",
        "Try again in 300:00:00.",
        "Requested 20 minutes ago, in the last 60 minutes.",
        "One export per 60 minutes.",
        "Try again at 25:61.",
        "Try again at 13.",
        "Version 1.2.3.4, request 20260304130000.",
        "Next 2026-03-03 11:00:00",
        "Next 2026-03-07 13:00:00",
        "Next 2025-03-04 13:00:00",
        "Next 0001-01-01T00:00:00+05:00",
        "Next 9999-12-31T23:59:59-05:00",
        "Next 2026-03-04 13:00:00+99:99",
        "Next 13:00:00+24:00",
        "Next 31.02.2026 13:00",
        "Next 2026-03-04 13:00:99",
        "\u0662\u0660\u0662\u0666-03-99 13:00",
    ],
)
def test_sentences_that_say_no_time(sentence: str) -> None:
    assert next_allowed(sentence, NOW) is None


def test_the_first_and_the_last_moments_of_all() -> None:
    for now in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        next_allowed("Next 2026-03-04 13:00:00, or 13:00, or 00:00:00, or 23:59:59.999999", now)


MOMENTS = st.integers(0, 70 * 365 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(0, seconds)
)
FORMATS: list[Callable[[datetime], str]] = [
    lambda moment: moment.isoformat(),
    lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}Z",
    lambda moment: f"{moment:%m/%d/%Y %I:%M:%S %p}",
    lambda moment: f"{moment:%d/%m/%Y %H:%M:%S}",
    lambda moment: f"{moment:%d.%m.%Y %H:%M:%S} UTC",
    lambda moment: f"{moment:%d %B %Y at %H:%M:%S}",
    lambda moment: f"{moment:%B %d, %Y %I:%M:%S %p}",
    lambda moment: f"{moment:%a, %d %b %Y %H:%M:%S} GMT",
    lambda moment: f"{moment:%H:%M:%S on %Y-%m-%d}",
    lambda moment: f"{moment.astimezone(timezone(timedelta(hours=5, minutes=45))):%Y-%m-%dT%H:%M:%S%z}",
]


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        *(
            (sentence, 431)
            for sentence in (
                "Too early: in 00:07:11.",
                "Please wait 00:07:11.",
                "Remaining time: 0:07:11.0000000",
                "00:07:11 left",
                "Try again in 07:11 minutes",
                "Try again in 7 minutes and 11 seconds.",
                "The next export is allowed in 7 min, 11 s",
                "Retry-After: 431 seconds",
                "Please wait another 431s.",
                "Wait PT7M11S",
                "7m 11s remaining",
                "Last export at 12:00:05, try again in 00:07:11.",
                "Last export 2026-03-04 12:00:05, try again in 00:07:11.",
                "Next at 12:17:16 (in 00:07:11)",
            )
        ),
        ("Try again in an hour.", 3600),
        ("Try again in 1.5 hours", 5400),
        ("Wait 1 hour, 2 minutes and 3 seconds.", 3723),
        ("One export in 60 minutes; next at 13:00:05", 3000),
    ],
)
def test_durations(sentence: str, seconds: int) -> None:
    assert next_allowed(sentence, NOW) == NOW + timedelta(seconds=seconds)


@given(MOMENTS, st.integers(0, 3600), st.sampled_from(FORMATS))
def test_any_moment_of_the_next_hour_is_found(now: datetime, seconds: int, write: Callable[[datetime], str]) -> None:
    moment = now + timedelta(seconds=seconds)
    assert next_allowed(f"The next export is allowed at {write(moment)}, please wait.", now) == moment


@given(MOMENTS, st.text(st.characters() | st.sampled_from(" 0123456789:-/.TZatpmon+"), max_size=60))
def test_any_text_at_all(now: datetime, text: str) -> None:
    moment = next_allowed(text, now)
    assert moment is None or timedelta(hours=-1) <= moment - now <= timedelta(hours=25)


HOSTILE_PIECES = ("12:00", "12:00 ", " ", "1 ", "1-", "a", "Mar 1 ", "2026-03-04", "T", "at", "12:00:00.1", "1", "+")


@pytest.mark.parametrize("piece", HOSTILE_PIECES)
@pytest.mark.parametrize("start", ["", "12:00", "2026-03-04", "4 March", "March 4", "12:00:00."])
def test_hostile_texts_cost_next_to_nothing(start: str, piece: str) -> None:
    begun = time.process_time()
    next_allowed(start + piece * 300_000 + "!", NOW)
    assert time.process_time() - begun < 1
