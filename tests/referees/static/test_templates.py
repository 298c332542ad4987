"""Checkov reads the template of every stage: what it finds has a reason, and no reason is left over."""

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.referees.static.engine import CHECKOV, checkov
from tests.support.stages import FEATURE, STAGES, stage_named
from tests.support.synthesis import Synthesis

pytestmark = pytest.mark.referee("Checkov")


class Accepted(NamedTuple):
    """Why a check may fail, for resources whose names begin so: all, if none is given."""

    reason: str
    resources: tuple[str, ...] = ("",)


ACCEPTED = {
    "CKV_AWS_18": Accepted("A log of the log bucket's own accesses would feed itself.", ("LakeAccessLogs",)),
    "CKV_AWS_21": Accepted(
        "Logs are written once; producers' buckets are made for trying out only, and the same object put twice is to"
        " stay the same object, as in those of others that are not versioned. The lake is, where a stage keeps data.",
        ("LakeAccessLogs", "LakeSource", "LakeMedia"),
    ),
    "CKV_AWS_26": Accepted("CloudWatch can publish to no topic under AWS's key; messages hold names and figures only."),
    "CKV_AWS_27": Accepted("It knows keys of KMS only: every queue is encrypted by SQS's own."),
    "CKV_AWS_115": Accepted("What is reserved is taken from the account; queues and maps have limits of their own."),
    "CKV_AWS_116": Accepted(
        "Queues keep what fails, machines see it; what calls without waiting has a dead letter queue."
    ),
    "CKV_AWS_117": Accepted(
        "Functions talk to AWS and the vendor only: a network of one's own would add cost, not safety."
    ),
    "CKV_AWS_119": Accepted("Encrypted by DynamoDB's own key: keys and hours of objects, no values of events."),
    "CKV_AWS_149": Accepted("Encrypted by the account's own key of Secrets Manager: no other account is to read it."),
    "CKV_AWS_158": Accepted("Encrypted by CloudWatch's own key: no value of an event and no secret is logged."),
    "CKV_AWS_173": Accepted("Encrypted by Lambda's own key: names and figures, no secret."),
}


@pytest.fixture(autouse=True)
def _fetched() -> None:
    CHECKOV.or_skip()


def test_every_finding_has_a_reason_and_every_reason_a_finding(
    synthesis_of: Callable[[str], Synthesis], tmp_path: Path
) -> None:
    for stage in (*STAGES, FEATURE):
        (template,) = synthesis_of(stage).folder.glob("*.template.json")
        shutil.copy(template, tmp_path / f"{stage}.template.json")
    findings = _findings(tmp_path)
    assert findings.keys() == ACCEPTED.keys()
    kept = {stage for stage in (*STAGES, FEATURE) if stage_named(stage).keeps_data}
    for check, found in findings.items():
        wrong = [each for each in found if not each[1].startswith(ACCEPTED[check].resources)]
        trying_out = [(stage, name) for stage, name in wrong if name.startswith("LakeBucket") and stage not in kept]
        assert wrong == (trying_out if check == "CKV_AWS_21" else []), check


def test_it_finds_what_is_careless(tmp_path: Path) -> None:
    opened = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}
    (tmp_path / "careless.template.json").write_text(json.dumps({"Resources": {"Open": opened}}))
    assert {"CKV_AWS_20", "CKV_AWS_53"} <= _findings(tmp_path).keys()


def _findings(folder: Path) -> dict[str, set[tuple[str, str]]]:
    """Return stage and name of the resources that fail, by check."""
    options = ("--framework", "cloudformation", "-o", "json", "--skip-download", "--quiet")
    command: list[str | Path] = [checkov(), "-d", folder, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    found = defaultdict(set)
    for failed in json.loads(done.stdout)["results"]["failed_checks"]:
        stage = Path(failed["file_path"]).name.removesuffix(".template.json")
        found[failed["check_id"]].add((stage, failed["resource"].rpartition(".")[2]))
    return found
