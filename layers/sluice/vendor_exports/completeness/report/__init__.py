"""The report on the exports' service level: one HTML page that needs no network."""

from sluice.vendor_exports.completeness.report.page import report_page

__all__ = ["report_page"]
