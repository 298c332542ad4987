"""List prices of AWS in US dollars."""

from dataclasses import dataclass

AS_OF = "2026-11-21"
"""The day the prices were read."""

REGION = "us-east-1"

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """The price of `per` units.

    Attributes:
        service: Name on the bill.
        dollars: The price.
        per: Number of units it is for.
        unit: The unit.
    """

    service: str
    dollars: float
    per: float
    unit: str

    def of(self, quantity: float) -> float:
        """Return what a quantity costs."""
        return self.dollars * quantity / self.per


BUS_EVENT = Price("EventBridge", 1.00, _MILLION, "events")
QUEUE_REQUEST = Price("SQS", 0.40, _MILLION, "requests")
TABLE_WRITE = Price("DynamoDB writes", 0.625, _MILLION, "write units")
TABLE_READ = Price("DynamoDB reads", 0.125, _MILLION, "read units")
OBJECT_GET = Price("S3 reads", 0.40, _MILLION, "GET requests")
OBJECT_PUT = Price("S3 writes", 5.00, _MILLION, "PUT requests")
OBJECT_STORAGE = Price("S3 storage", 0.023, 1_000_000_000, "bytes, for a month")
CATALOG_REQUEST = Price("Glue Data Catalog", 1.00, _MILLION, "requests")
FUNCTION_CALL = Price("Lambda calls", 0.20, _MILLION, "calls")
FUNCTION_TIME = Price("Lambda time", 13.3334, _MILLION, "GB-seconds (arm64)")
TRANSITION = Price("Step Functions", 25.00, _MILLION, "transitions")
LOG_INTAKE = Price("CloudWatch Logs", 0.50, 1_000_000_000, "bytes")
DASHBOARD = Price("CloudWatch dashboards", 3.00, 1, "dashboards, for a month")
COMPOSITE = Price("CloudWatch composite alarms", 0.50, 1, "alarms, for a month")
ALARM_METRIC = Price("CloudWatch alarms", 0.10, 1, "metrics that alarms look at, for a month")
CUSTOM_METRIC = Price("CloudWatch metrics", 0.30, 1, "metrics, for a month")
SECRET = Price("Secrets Manager", 0.40, 1, "secrets, for a month")
