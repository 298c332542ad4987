"""The report on the exports as a page; Plotly and Arrow, which it needs, are slow to import."""

from cli.platform.console import CliError
from cli.platform.session import Deployment
from cli.platform.stages import stage_named
from cli.vendor_exports.slots import environment_of
from infra.vendor_exports.settings import VendorExports
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.observations import observations_of
from sluice.vendor_exports.completeness.report.page import report_page
from sluice.vendor_exports.completeness.slot_history import derive


def exports_page(deployment: Deployment) -> tuple[bytes, int]:
    """Return the report as of now, and the number of hours it covers.

    Raises:
        CliError: There is no history yet.
    """
    environment = environment_of(deployment)
    store = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
    out_of_scope = stage_named(deployment.stage).settings(VendorExports).out_of_scope
    rows = derive(observations_of(store.find(state_key(environment))), out_of_scope)
    if not rows:
        raise CliError("There is no history yet.", "`sluice history init --from …` makes one of what is in the lake.")
    return report_page(environment, rows, out_of_scope), len(rows)
