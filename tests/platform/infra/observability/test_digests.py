"""The digest's function and schedules."""

import json

from tests.support.synthesis import Synthesis, text
from tests.support.synthesised_stages import ODD_EXPORTS

SCHEDULE = "AWS::Scheduler::Schedule"


def sent(stage: Synthesis) -> dict[str, str]:
    """Return the schedules by period."""
    schedules = stage.observability.of_type(SCHEDULE)
    found = [each["Properties"] for name, each in schedules.items() if name.startswith("Digests")]
    for each in found:
        assert text(each["Target"]["Arn"]).startswith("<DigestsSendDigestFunction")
        assert each["ScheduleExpressionTimezone"] == "UTC"
    return {json.loads(each["Target"]["Input"])["span"]: each["ScheduleExpression"] for each in found}


def test_a_lasting_stage_sends_both_early_in_the_morning(prd: Synthesis) -> None:
    assert sent(prd) == {"day": "cron(0 5 * * ? *)", "week": "cron(0 5 ? * MON *)"}


def test_a_stage_sends_what_it_is_set_to(odd: Synthesis) -> None:
    assert sent(odd) == {"week": "cron(7 6 ? * TUE *)"}


def test_function_and_command_line_are_told_the_sources_of_every_section(odd: Synthesis) -> None:
    told = text(odd.function("send_digest")["Environment"]["Variables"]["DIGEST_SOURCES"])
    assert odd.observability.outputs()["DigestSources"] == told
    sources = json.loads(told)
    assert sources["event_files"]["ledger_table"].startswith("<EventFilesLedger")
    assert sources["vendor_exports"] == {"environment": "Prod", "out_of_scope": ",".join(ODD_EXPORTS.out_of_scope)}
