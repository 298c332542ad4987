"""Messages to people through SNS: plain text for e-mail, and the one form that Slack shows."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from sluice.html_report.text import plain
from sluice.runs.model import UNFINISHED, RunRecord

_DESCRIPTION = 2900  # characters; Slack cuts a section at 3,000
_CAUSE = 1000  # characters


class Message(NamedTuple):
    """A message: its subject is ASCII of fewer than 100 characters, its links are URLs or commands by their names."""

    subject: str
    text: str
    links: Mapping[str, str]

    @property
    def forms(self) -> str:
        """Return the forms by protocol, as SNS takes them with `MessageStructure="json"`.

        Amazon Q Developer in chat applications, which passes messages on to Slack, shows nothing but its schema of
        custom notifications: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
        """
        links = [f"{name}: {link}" for name, link in self.links.items()]
        content = {
            "textType": "client-markdown",
            "title": self.subject,
            "description": _code_block(self.text),
            "nextSteps": links,
        }
        custom = {"version": "1.0", "source": "custom", "content": content}
        return json.dumps({"default": json.dumps(custom), "email": "\n\n".join([self.text, "\n".join(links)]) + "\n"})


def _code_block(text: str) -> str:
    """Write text so that Slack keeps its columns and takes nothing in it for markup, a mention or a link."""
    for character, written in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}.items():
        text = text.replace(character, written)
    whole = re.sub(r"&[a-z]*$", "", text[:_DESCRIPTION])
    return f"```\n{whole}\n```"


def failure_of(record: RunRecord, stage: str) -> Message | None:
    """Return the message about a run whose execution did not succeed; None for any other run."""
    if not record.cause and record.outcome not in UNFINISHED:
        return None
    step = f" in {record.failed_step}" if record.failed_step else ""
    lines = {
        "Run": record.id,
        "Of": record.subject,
        "Started": f"{record.started_at}, by {record.started_by or 'hand'}",
        "Ended": f"{record.ended_at}{step}",
        "Cause": plain(" ".join(record.cause.split()), _CAUSE)
        or "Step Functions gives none: see the execution's events in the console",
    }
    return Message(
        f"Sluice {stage}: {record.kind} {record.outcome.replace('_', ' ')}, started {record.started_at}",
        "\n".join(f"{f'{name}:':<9}{value}" for name, value in lines.items() if value),
        {"Console": record.links["console"], "Here": shlex.join(["sluice", "run", record.id, "--stage", stage])},
    )
