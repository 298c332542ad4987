"""The digest as one JSON document."""

from typing import Any

from sluice.observability.digest.model import Digest
from sluice.observability.prices import AS_OF
from sluice.runs.model import RunRecord


def document_of(digest: Digest) -> dict[str, Any]:
    """Return the digest's figures, those of the sections among them."""
    start, end = digest.period.window
    total = digest.total
    document = {
        "stage": digest.stage,
        "span": digest.period.kind.value,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "as_of": digest.as_of.isoformat(),
        "notices": list(digest.notices),
        "runs": {kind: {"total": total.runs(kind), "outcomes": dict(total.outcomes[kind])} for kind in digest.kinds},
        "success": {kind: total.success(kind) for kind in digest.kinds},
        "volumes": {each.name: {"value": each.value, "usual": each.usual} for each in digest.volumes},
        "compared_with": len(digest.earlier),
        "failed": [_run(run) for run in digest.failed],
        "slow": [{**_run(each.run), "usual_seconds": each.usual} for each in digest.slow],
        "cost": {
            "dollars": digest.cost.dollars,
            "prices_of": AS_OF,
            "items": {item.price.service: item.dollars for item in digest.cost.items},
        },
    }
    for section in digest.sections:
        document |= section.members
    return document


def _run(run: RunRecord) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ("id", "kind", "started_at", "seconds", "outcome", "cause")}
