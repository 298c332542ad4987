"""A public data set of users and items, served as the application's API, pulled, learnt from. Not part of `make test`.

    .venv/bin/python -m tests.load.public_listens FILE.parquet --user user_id --item movie_id
    .venv/bin/python -m tests.load.public_listens FILE.csv --serve 4590     # for `sluice pull --source-url …`

FILE is CSV (any separator), TSV or Parquet. Figures are printed beside those of `implicit` used directly: its own
split, training, recommending and evaluation.
"""

import csv
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import typer
from implicit.cpu.als import AlternatingLeastSquares
from implicit.evaluation import ranking_metrics_at_k, train_test_split
from threadpoolctl import threadpool_limits
from typer import echo

from cli.api_simulator.application import Application
from cli.api_simulator.population import FIRST_DAY, Population, Row
from cli.http_server.server import Server
from sluice.api_pull.source_http import HttpSource
from sluice.http.answers import Pauses
from sluice.http.json_http import JsonClient
from sluice.http.requests_http import Sender, open_client
from sluice.recommender.model.evaluation import evaluate
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.settings import Settings
from sluice.recommender.model.training import search, train

PAGE = 100
SEEDS = (1, 2, 3)
REFERENCE = Settings()


@dataclass(frozen=True)
class PublicListens(Population):
    """An application whose histories are those of a data set; its users and items are numbered from 1."""

    given: Interactions = field(default_factory=lambda: Interactions.of(*np.empty((2, 0))))

    def history(self, user_id: int) -> Row:
        """Return the items of a user."""
        items = [int(column) + 1 for column in self.given.plays[user_id - 1].indices]
        moment = FIRST_DAY.isoformat()
        return {"user_id": user_id, "items": items, "created_at": moment, "updated_at": moment}


def main(
    file: Path,
    *,
    user: Annotated[str, typer.Option(help="The column of users; the first by default.")] = "",
    item: Annotated[str, typer.Option(help="The column of items; the second by default.")] = "",
    serve: Annotated[int, typer.Option(help="A port: serve until Ctrl-C, and compute nothing.")] = 0,
) -> None:
    """Serve a data set of pairs as the application's API, and print what is learnt from what it answered."""
    given = read(file, user, item)
    shape = given.plays.shape
    echo(f"{shape[0]:,} users, {shape[1]:,} items, {given.pairs:,} pairs")
    people = PublicListens(users=shape[0], tracks=shape[1], given=given)
    with Server(Application(people), serve) as server:
        if serve:
            echo(f"sluice pull --source-url {server.url}")
            threading.Event().wait()
        pulled = pull(server.url)
    assert (pulled.plays != given.plays).nnz == 0, "what was pulled is what was given"
    split = pulled.split()
    found = search(split.train, seed=1)
    for settings, figure in found.trials:
        echo(f"  {settings}: NDCG@10 {figure:.4f} of the pairs that validate")
    for settings in dict.fromkeys((found.settings, REFERENCE)):
        result = evaluate(train(split.train, settings, seed=1), split)
        figures = " ".join(f"{name} {value:.4f}" for name, value in result.metrics.items())
        low, high = result.interval(seed=1)
        echo(f"sluice, {settings}: {figures}, NDCG@10 between {low:.4f} and {high:.4f}")
        for seed in SEEDS:
            echo(f"implicit itself, its own split {seed}: {peer(pulled, settings, seed)}")


def read(file: Path, user: str, item: str) -> Interactions:
    """Return the pairs of a file, with ids from 1; a pair that is there twice counts once."""
    if file.suffix == ".csv" or file.suffix in {".tsv", ".dat", ".txt"}:
        separator = csv.Sniffer().sniff(file.read_text("latin-1")[:2000]).delimiter
        table: pa.Table = pc.read_csv(file, parse_options=pc.ParseOptions(delimiter=separator))
    else:
        table = pq.read_table(file)
    names = (user or table.column_names[0], item or table.column_names[1])
    users, items = (np.unique(table[name].to_numpy(), return_inverse=True)[1] + 1 for name in names)
    pairs = np.unique(np.stack((users, items)), axis=1)
    return Interactions.of(*pairs)


def pull(url: str) -> Interactions:
    """Return the listens that an application answers, page by page."""
    users: list[int] = []
    tracks: list[int] = []
    with open_client(10) as http:
        source = HttpSource(JsonClient(Sender(http, Pauses(0.0, lambda _: None), "the API"), url))
        number, pages = 1, 1
        while number <= pages:
            page = source.page("listen_history", number, PAGE)
            for row in page["items"]:
                users += [row["user_id"]] * len(row["items"])
                tracks += row["items"]
            number, pages = number + 1, page["pages"]
    return Interactions.of(np.array(users), np.array(tracks))


def peer(pairs: Interactions, settings: Settings, seed: int) -> str:
    """Return the figures of `implicit`, which none of our code touches but for the pairs."""
    with threadpool_limits(1, "blas"):
        fit, test = train_test_split(pairs.plays, train_percentage=0.8, random_state=seed)
        model = AlternatingLeastSquares(**settings.as_parameters(), random_state=seed)
        model.fit(fit, show_progress=False)
        figures = ranking_metrics_at_k(model, fit, test, K=10, show_progress=False)
    return f"ndcg {figures['ndcg']:.4f} (precision {figures['precision']:.4f}, map {figures['map']:.4f})"


if __name__ == "__main__":
    typer.run(main)
