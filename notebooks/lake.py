"""Queries of the tables of a stage: the one that `SLUICE_STAGE` names, or that of the local cloud."""

import os

import awswrangler as wr
import pandas as pd

STAGE = os.environ.get("SLUICE_STAGE", "local")
DATABASE = f"sluice_{STAGE.replace('-', '_')}"


def query(sql: str) -> pd.DataFrame:
    """Return the rows of a query; region, credentials and endpoint are those of the shell."""
    return wr.athena.read_sql_query(sql, database=DATABASE, workgroup=f"sluice-{STAGE}", ctas_approach=False)
