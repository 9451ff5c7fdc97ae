"""The forecast tables and their ledger, made by the real job on Washington's ten weeks."""

import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets.forecasts import LEDGER, TABLES, weekly_forecast_tables
from assets.house import House
from assets.partitions import WEEK_ENDING, book_partition
from beatbook import load_table
from beatbook.home import Home

DC, WEEK = "washington_dc", "2024-03-10"


@pytest.fixture
def home(book: list[Path]) -> Home:
    """The checkout in which the week's book was made."""
    return Home(book[0].parents[3])


def test_a_report_makes_the_weeks_forecasts(home):
    made = {table.name: load_table(table.name, DC, week_ending=WEEK, home=home) for table in TABLES}
    forecasts = made["forecasts"]
    assert set(forecasts["as_of"]) == {pd.Timestamp("2024-03-17")}
    assert set(forecasts["ds"].min() - forecasts["cutoff"]) == {pd.Timedelta(days=7)}
    shown = forecasts[forecasts["published"]]
    assert not shown.duplicated(["unique_id", "ds"]).any()
    assert set(made["place_forecasts"]["offense"]) == {
        "Burglary", "Motor Vehicle Theft", "Robbery",
    }  # fmt: skip
    assert len(made["nowcasts"]) > 0
    # Ten weeks are no history to be tested on, and the tables say so.
    assert shown["reason"].str.contains("history is too short").any()
    assert made["forecast_scorecard"].empty
    assert made["forecasts"].attrs["provenance"]["as_of"] == "2024-03-17"


def test_what_was_published_stays_when_the_week_is_made_again(home, tmp_path, monkeypatch):
    first = load_table(LEDGER.name, DC, home=home)
    assert set(first["cutoff"]) == {pd.Timestamp("2024-03-04")}
    assert set(first["kind"]) == {"series", "places"}
    assert first["scored_as_of"].isna().all()

    shutil.copytree(home.root, tmp_path, dirs_exist_ok=True)
    # The feed has changed since: half of its records are gone.
    path = tmp_path / "data" / DC / load_path(home, "incidents")
    pd.read_parquet(path).iloc[::2].to_parquet(path, index=False)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(WEEK_ENDING, [WEEK])
        ran = dg.materialize(
            [weekly_forecast_tables],
            partition_key=book_partition(DC, WEEK),
            instance=instance,
            resources={"house": House(root=str(tmp_path))},
        )
    assert ran.success
    there = Home(tmp_path)
    before, again = (
        load_table("forecasts", DC, where="unique_id = 'City/Larceny' and published", home=where)
        for where in (home, there)
    )
    assert (again["y_hat"] < before["y_hat"]).all()
    kept = load_table(LEDGER.name, DC, home=there)
    pd.testing.assert_frame_equal(kept, first, check_exact=True)


def load_path(home: Home, table: str) -> str:
    """The file of a published table, below the department's data."""
    from beatbook.store import Store

    store = Store(DC, home)
    return store.find(table).path.relative_to(store.folder).as_posix()
