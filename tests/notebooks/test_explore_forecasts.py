"""The worked path through one week's forecasts, run as it stands."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from beatbook.forecasts.weekly import keep_entries, weekly_forecasts
from beatbook.home import Home
from beatbook.store import Store, load_table

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "explore_forecasts.ipynb"
SLUG, WEEK, AS_OF = "example", "2023-10-29", "2023-10-31"


@pytest.fixture
def forecast_home(make_department) -> Home:
    """A made-up department of two and a half years, with one week's forecasts published."""
    small = make_department().set(
        forecasts={"models": ["recent_mean", "pooled_level"], "place_offenses": ["Burglary"]}
    )
    small.write_offenses(
        "code,match,offense,ucr_code,nibrs_code,against,part,sex_offense,description\n"
        "05,prefix,Burglary,05,220,property,I,no,Burglary\n"
        "06,prefix,Larceny,06,23H,property,I,no,Larceny\n"
    )
    rng = np.random.default_rng(2)
    rows, number = [], 0
    for day in pd.date_range("2021-05-01", AS_OF):
        for code in ["051000"] * rng.poisson(2) + ["061000"] * rng.poisson(2):
            number += 1
            east, north = rng.uniform(20, 1980, 2)
            rows.append(small.row(
                Case=f"{number:06d}", Code=code, Month=f"{day:%Y-%m}", Reported="",
                Date=f"{day:%m/%d/%Y} 10:00", District="", Area="", Number=str(number),
                X=str(700_000 + east), Y=str(4_270_000 + north),
            ))  # fmt: skip
    tables = small.clean(rows)
    store, made_from = Store(SLUG, small.home), {"feed_sha256": "00", "as_of": AS_OF}
    store.publish({"incidents": tables.incidents}, made_from)
    incidents, department = load_table("incidents", SLUG, home=small.home), small.load()
    as_of = dt.date.fromisoformat(AS_OF)
    week = weekly_forecasts(incidents, department, dt.date.fromisoformat(WEEK), as_of)
    store.publish(
        week.tables(),
        made_from,
        partition=WEEK,
        changes={
            "forecast_scores": lambda held: keep_entries(
                held, week.entries, incidents, department, as_of
            )
        },
    )
    return small.home


def test_each_step_says_its_finding(run_cells, forecast_home):
    said, names = run_cells(
        "explore_forecasts.ipynb", forecast_home, department=SLUG, week_ending=WEEK
    )
    for sentence in (
        "20 series as of 2023-10-31",
        "reported in the last week",
        "Of 4 models over 13 cutoffs, ",
        "bands hold what came within their 95 % interval",
        "Burglary, four weeks: ",
        "back-test as known, 13 origins",
        "over the plain count",
        "0 have their score",
    ):
        assert sentence in said, f"{sentence}\n{said}"
    # A model of one's own is tested like the others.
    assert set(names["tested"]["model"]) == set(names["models"])
    assert names["table"].loc[names["NAIVE"], "mase_seasonal"] == 1

    with pytest.raises(ValueError, match=r"No forecasts of Arson here\. There are: Burglary, "):
        run_cells(
            "explore_forecasts.ipynb",
            forecast_home,
            department=SLUG,
            week_ending=WEEK,
            offense="Arson",
        )


def test_every_step_has_words_before_it_and_imports_only_the_package():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    kinds = [cell["cell_type"] for cell in notebook["cells"]][3:]
    assert kinds[::2] == ["markdown"] * len(kinds[::2])
    assert kinds[1::2] == ["code"] * len(kinds[1::2])
    code = "".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    for room in ("assets", "pipelines", "expectations", "dagster"):
        assert room not in code
    assert all(not c.get("outputs") for c in notebook["cells"])
