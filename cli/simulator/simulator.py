"""The simulator: a vendor behind an HTTP server."""

from cli.http_server.server import Server
from cli.simulator.vendor import Vendor


class Simulator(Server):
    """The vendor's API on the loopback interface; a context manager that starts and stops it."""

    def __init__(self, vendor: Vendor, port: int = 0) -> None:
        """Bind the port, or a free one when it is 0.

        Raises:
            OSError: The port is taken.
        """
        super().__init__(vendor, port)
        self.vendor = vendor
