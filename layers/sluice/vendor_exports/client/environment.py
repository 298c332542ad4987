"""The vendor's two flows."""

from enum import StrEnum


class Environment(StrEnum):
    """A flow of the vendor's exports; the two are never mixed."""

    TEST = "Test"
    PROD = "Prod"

    @property
    def config_name(self) -> str:
        """Name of the job's configuration at the vendor's."""
        return f"onDemandExtract1Day{self.value}"

    @property
    def root(self) -> str:
        """Prefix of everything of this flow in a bucket."""
        return "DEV/IMOSDL/" if self is Environment.TEST else "IMOSDL/"

    @property
    def hourly(self) -> str:
        """Prefix of the folders of all slots."""
        return f"{self.root}Hourly/"
