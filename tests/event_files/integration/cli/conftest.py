from tests.support.cli_environment import pipeline, stage

__all__ = ["pipeline", "stage"]
