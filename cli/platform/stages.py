"""Stages of the command line: those of the file that `SLUICE_STAGES` names, or of the one in the project's root."""

import os
from pathlib import Path

from infra import stage_file
from infra.stage import Stage

FILE_VARIABLE = "SLUICE_STAGES"


def stages_file() -> Path | None:
    """Return the file that the environment names; None for the project's own."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named).expanduser().absolute() if named else None


def stage_named(name: str) -> Stage:
    """Return the settings of a stage.

    Raises:
        StageNameError: The name is no stage's.
        StageFileError: The file is wrong.
    """
    return stage_file.stage_named(name, stages_file())
