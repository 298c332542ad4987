from tests.support.cli_environment import stage

__all__ = ["stage"]
