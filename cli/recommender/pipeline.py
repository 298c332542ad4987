"""The command line of the recommender: its commands, and its part of `sluice runs`."""

from collections.abc import Mapping

from cli.platform.console import plural
from cli.platform.registry import DATA, Command, PipelineCli


def _headline(counts: Mapping[str, int]) -> str:
    if not counts["users"]:
        return ""
    return f"{plural(counts['recommendations'], 'recommendation')} for {plural(counts['users'], 'user')}"


def _training_headline(counts: Mapping[str, int]) -> str:
    return f"{plural(counts['promoted'], 'model')} promoted, of {plural(counts['train_pairs'], 'pair')}"


CLI = PipelineCli(
    commands=(
        Command("cli.recommender.recommend:app", DATA, 60, "recommend"),
        Command("cli.recommender.models:app", DATA, 61, "models"),
    ),
    status="cli.recommender.status:status",
    headlines={"infer": _headline, "retrain": _training_headline},
)
