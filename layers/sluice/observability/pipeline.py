"""What a pipeline registers in `sluice.pipelines`: everything that watches and shows all pipelines is made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sluice.observability.metrics import Metric
from sluice.observability.prices import Price
from sluice.runs.kinds import RunKind
from sluice.runs.model import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A sum over the runs of a period that digests compare with the usual one.

    Attributes:
        name: In documents; one that ends with ``bytes`` is shown as a size.
        title: For people.
        kind: Name of the kind of runs whose counts are summed up.
        count: The count.
        watched: Whether a digest names it when it is far from the usual.
    """

    name: str
    title: str
    kind: str
    count: str
    watched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline as all that is shared sees it.

    Attributes:
        name: Its rooms' name and the dimension ``pipeline`` of its metrics, such as ``event_files``.
        title: For people, such as ``Event files``.
        run_kinds: Its state machines.
        metrics: The metrics its functions emit, besides those of every pipeline.
        measure: Returns the metrics that follow from the record of one of its runs.
        volumes: Sums that digests compare with the usual.
        usage: Returns the quantities, by price, that runs used; their state transitions are counted for it.
        digest_section: Entry point (``module:name``) of what makes its section of digests, resolved only there:
            its plots need packages that few functions carry.
    """

    name: str
    title: str
    run_kinds: tuple[RunKind, ...]
    metrics: tuple[Metric, ...]
    measure: Callable[[RunRecord], Mapping[Metric, float]] = lambda _: {}
    volumes: tuple[Volume, ...] = ()
    usage: Callable[["object"], Mapping[Price, float]] = field(default=lambda _: {})
    digest_section: str = ""
