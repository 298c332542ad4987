"""The digest as one JSON document."""

from typing import Any

from sluice.observability.digest.model import Digest
from sluice.observability.prices import AS_OF
from sluice.runs.model import Kind, RunRecord


def document_of(digest: Digest) -> dict[str, Any]:
    """Return the digest's figures."""
    start, end = digest.span.window
    total = digest.total
    return {
        "stage": digest.stage,
        "span": digest.span.kind.value,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "as_of": digest.as_of.isoformat(),
        "notices": list(digest.notices),
        "runs": {kind.value: {"total": total.runs(kind), "outcomes": dict(total.outcomes[kind])} for kind in Kind},
        "success": {kind.value: total.success(kind) for kind in Kind},
        "clean_share": {"value": total.clean_share, "usual": digest.usual_clean_share},
        "volumes": {each.name: {"value": each.value, "usual": each.usual} for each in digest.volumes},
        "compared_with": digest.compared,
        "dirty": [
            {"table": r.table, "reason": r.reason, "events": r.events, "before": r.before, "new": r.is_new}
            for r in digest.reasons
        ],
        "tables": {
            each.table: {
                "rows": each.rows,
                "usual": each.usual,
                "newest": each.newest.isoformat() if each.newest else None,
            }
            for each in digest.tables
        },
        "failed": [_run(run) for run in digest.failed],
        "slow": [{**_run(each.run), "usual_seconds": each.usual} for each in digest.slow],
        "exports": {
            "hours": len(digest.exports),
            "whole": digest.whole_exports,
            "gaps": [str(row.slot) for row in digest.exports if not row.delivered or row.missing],
        },
        "cost": {
            "dollars": digest.cost.dollars,
            "prices_of": AS_OF,
            "items": {item.price.service: item.dollars for item in digest.cost.items},
        },
    }


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind.value,
        "started_at": run.started_at,
        "seconds": run.seconds,
        "outcome": run.outcome,
        "cause": run.cause,
    }
