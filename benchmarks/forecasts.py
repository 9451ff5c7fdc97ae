"""How accurate and how fast the forecasts are, on St. Louis as published.

Run by hand from the repository's root, after the tables have been built:
    python benchmarks/forecasts.py [--only series nowcast places weekly speed]
                                   [--prophet] [--choose] [--week-ending 2019-12-29]

Test weeks are those of 2019; ``--choose`` prints the same on 2016-2018, where settings were
chosen. Series are as they stand today (settled), so that the figures compare with published ones;
``weekly`` is the run of a book's week, back-tested as known at each cutoff.
"""

import argparse
import dataclasses
import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from beatbook import load_table
from beatbook.areas import load_outlines
from beatbook.department import load_department
from beatbook.forecasts.etas import fit_etas
from beatbook.forecasts.models import ALL_MODELS, MODELS
from beatbook.forecasts.nowcast import book_dates, lag_history, nowcast, plain_ratio
from beatbook.forecasts.panel import WEEK
from beatbook.forecasts.place_events import place_events
from beatbook.forecasts.place_history import DAY, density_of_places, make_history
from beatbook.forecasts.place_scores import bootstrap_ratio
from beatbook.forecasts.places import back_test_places, forecast_cells, summarize_places
from beatbook.forecasts.recent_weeks import recent_weeks
from beatbook.forecasts.scores import score, summarize
from beatbook.forecasts.series import back_test, with_mix
from beatbook.forecasts.week_history import week_history
from beatbook.forecasts.weekly import weekly_forecasts
from beatbook.forecasts.weekly_places import weekly_places
from beatbook.forecasts.weekly_series import say_withdrawn, weekly_series
from beatbook.hotspots.grid import make_grid
from beatbook.offenses import PART_ONE

START = pd.Timestamp("2014-01-06")
PLACE_OFFENSES = ("Burglary", "Motor Vehicle Theft", "Robbery")
SHOWN = ["model", "hits", "events", "pai", "pai_low", "pai_high", "pei_star", "rri_levine",
         "predicted_over_observed", "gain", "gain_low", "gain_high"]  # fmt: skip
CONTEXT = (*PLACE_OFFENSES, "Larceny", "Aggravated Assault")


def district_series(incidents: pd.DataFrame, offenses: tuple[str, ...]) -> pd.DataFrame:
    """Net counts of district by offense, weeks by occurrence, in the long shape."""
    rows = incidents[incidents["offense"].isin(offenses) & (incidents["occurred_from"] >= START)]
    rows = rows[rows["precinct"].isin(list("123456"))]
    week = START + (rows["occurred_from"] - START) // WEEK * WEEK
    counts = rows.groupby([rows["precinct"] + "/" + rows["offense"], week])["count"].sum()
    weeks = pd.date_range(START, "2019-12-23", freq="7D")
    names = sorted(counts.index.get_level_values(0).unique())
    full = pd.MultiIndex.from_product([names, weeks], names=["unique_id", "ds"])
    return counts.reindex(full, fill_value=0).rename("y").reset_index()


def series_accuracy(incidents: pd.DataFrame, *, choosing: bool, prophet: bool) -> None:
    """42 series, origins every four weeks, four weeks ahead."""
    long = district_series(incidents, PART_ONE)
    last, origins = ("2018-11-26", 39) if choosing else ("2019-11-25", 13)
    began = time.perf_counter()
    tested = back_test(long, models=ALL_MODELS if prophet else MODELS, origins=origins,
                       last=pd.Timestamp(last))  # fmt: skip
    tested = with_mix(tested, ("pooled_level", "exponential_smoothing"))
    table = summarize(score(tested, long)).sort_values("scaled_crps")
    print(f"\nSeries: {long['unique_id'].nunique()} series, {origins} origins, "
          f"{time.perf_counter() - began:.1f} s")  # fmt: skip
    print(table.round(4).to_string(index=False))


def nowcast_accuracy(incidents: pd.DataFrame) -> None:
    """The last 28 days as of each month end against what was known six months later."""
    rows = incidents[incidents["offense"].isin(PART_ONE)].copy()
    rows["precinct"] = rows["precinct"].fillna("Unknown")
    out = []
    for by in ([], ["offense"], ["precinct"], ["offense", "precinct"]):
        # Districts were redrawn in 2014: their lags are learned from then on.
        used = rows[rows["known_on"] >= "2014-01-01"] if "precinct" in by else rows
        for end in pd.date_range("2016-01-31", "2019-06-30", freq="ME"):
            later = used[used["known_on"] <= end + pd.offsets.MonthEnd(6)]
            inside = later["occurred_from"].between(
                end - 27 * DAY, end + DAY, inclusive="left")  # fmt: skip
            table = nowcast(used, end, by=by)
            history = lag_history(used, book_dates(used["known_on"], end), (0, 28), by)
            if by:
                final = later[inside].groupby(by)["count"].sum()
                key = pd.MultiIndex.from_frame(table[by]) if len(by) > 1 else table[by[0]]
                truth = final.reindex(key).fillna(0).to_numpy(float)
            else:
                truth = np.array([float(later.loc[inside, "count"].sum())])
            out.append({
                "by": " x ".join(by) or "city",
                "as it stands": np.abs(table["reported"] - truth).mean(),
                "plain ratio": np.abs(plain_ratio(history) - truth).mean(),
                "nowcast": np.abs(table["expected_final"] - truth).mean(),
                "bias": (table["expected_final"] - truth).mean(),
                "cover 80": table["lo_80"].le(truth).mul(table["hi_80"].ge(truth)).mean(),
                "cover 95": table["lo_95"].le(truth).mul(table["hi_95"].ge(truth)).mean(),
            })  # fmt: skip
    print("\nNowcast of the last 28 days, mean absolute error:")
    print(pd.DataFrame(out).groupby("by", sort=False).mean().round(3).to_string())


def place_accuracy(incidents: pd.DataFrame, *, choosing: bool) -> None:
    """13 origins every 28 days, 28 days ahead, 250 m cells, 2 % of the city's cells."""
    import geopandas as gpd

    department = load_department("st_louis")
    grid = make_grid(load_outlines(department, "city"), 250.0)
    licenses = gpd.read_file(department.folder / "places" / "liquor_licenses.gpkg")
    points = licenses.to_crs(department.crs).geometry
    layers = np.array([density_of_places(grid, points.x.to_numpy(), points.y.to_numpy(), b)
                       for b in (125.0, 250.0)])  # fmt: skip
    events = place_events(incidents[incidents["occurred_from"] >= "2014-01-01"], CONTEXT)
    cells = forecast_cells(grid, share=0.02)
    first, origins = ("2016-01-11", 39) if choosing else ("2019-01-07", 13)
    tables = []
    for offense in PLACE_OFFENSES:
        began = time.perf_counter()
        history = make_history(events, grid, offense=offense, places=layers)
        start = int((pd.Timestamp(first) - history.start) / DAY)
        tested = back_test_places(
            history, cells, 28, origins=range(start, start + 28 * origins, 28)
        )
        tables.append(tested)
        print(f"\n{offense}: {len(grid)} cells, {cells} chosen, "
              f"{time.perf_counter() - began:.1f} s for {origins} origins")  # fmt: skip
        print(summarize_places(tested)[SHOWN].round(3).to_string(index=False))
    hits = pd.concat(tables).groupby(["cutoff", "model"])["hits"].sum().unstack()
    print("\nThe three together, hits over those of the long-run count, 95 % bootstrap interval:")
    for model in hits:
        gain = bootstrap_ratio(hits[model], hits["long_run_count"])
        print(f"  {model:22s}{hits[model].sum():6.0f}  {gain.value - 1:+.1%} "
              f"({gain.low - 1:+.1%} to {gain.high - 1:+.1%})")  # fmt: skip


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Run something, and print its seconds and processor seconds."""
    began, worked = time.perf_counter(), time.process_time()
    out = work()
    print(f"{what}: {time.perf_counter() - began:.1f} s, "
          f"{time.process_time() - worked:.1f} processor s")  # fmt: skip
    return out


def weekly(incidents: pd.DataFrame, week_ending: str) -> None:
    """One week's run by its parts: how long, and how good its back-test as known is."""
    department = load_department("st_louis")
    week = dt.date.fromisoformat(week_ending)
    as_of = (pd.Timestamp(week) + pd.offsets.MonthEnd(0)).date()
    print(f"\nThe week ending {week}, as of {as_of}:")
    history = timed("  weeks laid out", lambda: week_history(incidents, department, week, as_of))
    made = timed("  all series", lambda: weekly_series(history, department))
    timed("  nowcasts", lambda: recent_weeks(incidents, department, week, as_of))
    places = timed("  all places", lambda: weekly_places(incidents, department, week, as_of))
    whole = timed("  the whole run", lambda: weekly_forecasts(incidents, department, week, as_of))
    gone = say_withdrawn(whole.forecasts)
    print(f"  {whole.forecasts['unique_id'].nunique()} series by {made.chosen}; {len(gone)} "
          f"withdrawn: {', '.join(gone)}")  # fmt: skip
    parts = history.names[history.names["offense"].isin(PART_ONE)]
    parts = set(parts.loc[parts["geography"] != "Unknown", "unique_id"])
    bare = dataclasses.replace(history, nowcasting=False, kept={})
    for name, scored in (
        ("from the nowcast", made.scored),
        ("from the counts as they stood", weekly_series(bare, department).scored),
    ):
        rows = scored[scored["unique_id"].isin(parts)]
        print(f"\n  As known, {name}: {len(parts)} series, {rows['cutoff'].nunique()} origins, "
              f"{rows['cutoff'].min().date()} to {rows['cutoff'].max().date()}")  # fmt: skip
        table = summarize(score(rows, history.outcomes())).sort_values("scaled_crps")
        print(table.round(4).to_string(index=False))
    for offense, part in places.backtest[places.backtest["weeks"] == 4].groupby("offense"):
        print(f"\n  {offense}, four weeks, as known, {part['cutoff'].nunique()} origins:")
        print(summarize_places(part)[SHOWN].round(3).to_string(index=False))
    four = places.backtest[places.backtest["weeks"] == 4]
    hits = four.groupby(["cutoff", "model"])["hits"].sum().unstack()
    for model in hits:
        gain = bootstrap_ratio(hits[model], hits["long_run_count"])
        print(f"  together {model:22s}{hits[model].sum():6.0f}  {gain.value - 1:+.1%} "
              f"({gain.low - 1:+.1%} to {gain.high - 1:+.1%})")  # fmt: skip
    for row in places.table.drop_duplicates("offense").itertuples():
        print(f"  {row.offense}: {row.model}. {row.reason}")
    bands = places.calibration[places.calibration["weeks"] == 4]
    inside = bands["expected"].between(bands["lo_95"], bands["hi_95"])
    print(f"  calibration: {inside.sum()} of {len(bands)} bands hold what was expected")


def speed(incidents: pd.DataFrame) -> None:
    """ETAS on 20,000 events."""
    theft = place_events(incidents, ["Larceny"]).tail(20_000)
    t = ((theft["date"] - theft["date"].iloc[0]) / DAY).to_numpy()
    x, y = theft["x"].to_numpy(), theft["y"].to_numpy()
    for run in ("first", "warm"):
        began = time.perf_counter()
        fit = fit_etas(t, x, y, bandwidth=100.0, reach=500.0)
        print(f"ETAS on {len(t):,} events, {run}: {time.perf_counter() - began:.2f} s, "
              f"{len(fit.log_likelihood)} steps, mu {fit.mu:.2f} a day, theta {fit.theta:.2f}, "
              f"1/omega {1 / fit.omega:.1f} days, sigma {fit.sigma:.0f} m, "
              f"log-likelihood {fit.log_likelihood[-1]:.0f}")  # fmt: skip


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parts = ("series", "nowcast", "places", "weekly", "speed")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--prophet", action="store_true", help="with prophet (a few minutes)")
    parser.add_argument("--choose", action="store_true", help="on 2016-2018 instead of 2019")
    parser.add_argument("--week-ending", default="2019-12-29", help="of the weekly run")
    asked = parser.parse_args()
    incidents = load_table("incidents", "st_louis")
    if "series" in asked.only:
        series_accuracy(incidents, choosing=asked.choose, prophet=asked.prophet)
    if "nowcast" in asked.only:
        nowcast_accuracy(incidents)
    if "places" in asked.only:
        place_accuracy(incidents, choosing=asked.choose)
    if "weekly" in asked.only:
        weekly(incidents, asked.week_ending)
    if "speed" in asked.only:
        speed(incidents)


if __name__ == "__main__":
    main()
