"""No pinned package has a vulnerability that PyPI knows."""

import pytest

from tests.referees.static.engine import PIP_AUDIT, audited, pip_audit
from tests.support.synthesis import ROOT

pytestmark = pytest.mark.referee("pip-audit")


def test_no_pinned_package_has_a_known_vulnerability() -> None:
    PIP_AUDIT.or_skip()
    packages = audited(pip_audit(), ROOT / "requirements.txt", "--require-hashes")
    assert packages
    assert [each for each in packages if each.get("vulns") != []] == []
