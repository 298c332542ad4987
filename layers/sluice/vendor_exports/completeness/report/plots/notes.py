"""What a plot says of an hour when it is pointed at."""

from sluice.html_report.names import in_hover
from sluice.vendor_exports.completeness.model import SlotHistory

_NO_DELIVERY = "<br>no delivery"


def note(row: SlotHistory) -> str:
    """Name what did not come; empty where all came."""
    if not row.delivered:
        return _NO_DELIVERY
    return f"<br>missing: {in_hover(row.missing)}" if row.missing else ""


def short_note(row: SlotHistory) -> str:
    """Say how much did not come; empty where all came."""
    if not row.delivered:
        return _NO_DELIVERY
    return f"<br>{len(row.missing)} tables missing" if row.missing else ""
