"""Context that Lambda calls a handler with."""

from dataclasses import dataclass, field


@dataclass
class Context:
    """Context of an invocation; `milliseconds` are the times left, one per call until the last."""

    milliseconds: list[int] = field(default_factory=lambda: [600_000])
    function_name: str = "function"
    function_version: str = "1"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    tenant_id: str | None = None

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds.pop(0) if len(self.milliseconds) > 1 else self.milliseconds[0]
