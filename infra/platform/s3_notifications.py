"""From object events of a bucket to batches for a function."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.platform.python_function import PythonFunction
from infra.platform.queued_events import QueuedEvents
from infra.platform.sizes import Batching
from infra.stage import Stage


class AnnouncedObjects(QueuedEvents):
    """What happens to objects of a bucket reaches a function in batches, and what it cannot deal with is kept."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        bucket: s3.IBucket,
        kinds: Sequence[str],
        function: PythonFunction,
        batching: Batching,
    ) -> None:
        """Build queue, rule and event source; `kinds` are EventBridge detail types such as Object Created."""
        super().__init__(
            scope,
            construct_id,
            stage=stage,
            pattern=events.EventPattern(
                source=["aws.s3"], detail_type=list(kinds), detail={"bucket": {"name": [bucket.bucket_name]}}
            ),
            description=f"{' or '.join(kinds)} in the {bucket.node.id.lower()} bucket",
            function=function,
            batching=batching,
        )
