"""Registration of a pipeline in `sluice.pipelines`: observability, run records and commands are made from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.observability.metrics import PIPELINE_METRICS, Metric
from sluice.runs.model import RunKind, RunRecord

if TYPE_CHECKING:
    from sluice.observability.prices import Price
    from sluice.observability.run_totals import RunTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A count, summed up over the runs of a period, that digests compare with the usual sum.

    Attributes:
        name: In documents; one that ends with ``bytes`` is shown as a size.
        title: On pages.
        kind: Name of the kind of runs that have the count.
        count: The count.
        watched: Whether a digest has a notice when the sum is far from the usual.
    """

    name: str
    title: str
    kind: str
    count: str
    watched: bool = False


def _nothing(_: object) -> dict[Any, float]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline as the platform sees it.

    Attributes:
        name: Its rooms' name and the dimension ``pipeline`` of its metrics, such as ``event_files``.
        title: In messages and on pages, such as ``Event files``.
        run_kinds: Its kinds of runs, one per state machine.
        own_metrics: The metrics its functions emit, besides those of every pipeline.
        measure: Returns the metrics that follow from the record of one of its runs.
        volumes: Sums that digests compare with the usual.
        usage: Returns the quantities, by price, that runs used besides their states.
        usage_assumes: What `usage` takes for granted, in words; "" for a pipeline without.
        digest_section: Entry point (``module:function``) of its section of digests, resolved only to make one: its
            plots need packages that few functions carry. "" for a pipeline without.
    """

    name: str
    title: str
    run_kinds: tuple[RunKind, ...]
    own_metrics: tuple[Metric, ...] = ()
    measure: Callable[[RunRecord], Mapping[Metric, float]] = _nothing
    volumes: tuple[Volume, ...] = ()
    usage: "Callable[[RunTotals], Mapping[Price, float]]" = _nothing
    usage_assumes: str = ""
    digest_section: str = ""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric with this pipeline's dimension."""
        return (*self.own_metrics, *PIPELINE_METRICS)


def kinds_of(pipelines: Iterable[Pipeline]) -> dict[str, RunKind]:
    """Return the kinds of runs of pipelines by their names."""
    return {kind.name: kind for pipeline in pipelines for kind in pipeline.run_kinds}
