"""Names of the Export machine's states."""

from __future__ import annotations

BEGIN, TRIGGER, CHECK, LIST = "Begin the export", "Trigger the job", "Check the job", "List the files"
COPY, PROVE, CLOSE, OBSERVE = "Copy the files", "Check that all arrived", "Close the export", "Observe the delivery"
BEFORE_CLOSING = (TRIGGER, CHECK, LIST, PROVE)
FIRST_WAIT, COMPLETE = "Wait for the job to begin", "Is the job complete?"
