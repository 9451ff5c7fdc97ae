"""The ledger of published forecasts: written once, scored once, never rewritten."""

import datetime as dt
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.compstat.counts import comparable_precinct, counted_day
from beatbook.compstat.coverage import coverage, covers, known_by
from beatbook.department import Department
from beatbook.forecasts.book_days import DAY, BookDays, book_days
from beatbook.forecasts.models import NAIVE
from beatbook.forecasts.panel import WEEK
from beatbook.forecasts.place_events import usable_events
from beatbook.forecasts.place_models import PLACE_NAIVE
from beatbook.forecasts.place_scores import pai, pei_star
from beatbook.forecasts.series import from_table
from beatbook.forecasts.week_history import CITY, series_name
from beatbook.forecasts.weekly_places import HORIZONS, WeeklyPlaces, grid_name, place_grid
from beatbook.forecasts.weekly_series import JUDGED_WEEKS, WeeklySeries
from beatbook.offenses import TOTALS
from beatbook.tables import FORECAST_SCORES

Say = Callable[[str], None]

_SAME = ["kind", "unique_id", "cutoff", "ds", "weeks"]
_COLUMNS = [
    "occurred_from", "reported_at", "known_on", "precinct", "offense", "count", "x", "y",
    "location_quality", "origin",
]  # fmt: skip
_NUMBERS = ["y_hat", "median", "lo_80", "hi_80", "lo_95", "hi_95", "size"]


def empty_ledger() -> pd.DataFrame:
    """Return a ledger in which nothing has been written."""
    return FORECAST_SCORES.conform(pd.DataFrame(columns=FORECAST_SCORES.column_names))


def new_entries(series: WeeklySeries, places: WeeklyPlaces, as_of: dt.date) -> pd.DataFrame:
    """Write what a book publishes as entries of the ledger, not yet scored.

    Every row of the ``forecasts`` table, and of each place layer the forecast area of the chosen
    and of the naive model. Back-tests are not in either and so never enter.
    """
    rows = []
    table = series.table
    key = ["unique_id", "ds"]
    naive = table[table["model"] == NAIVE].set_index(key)["y_hat"]
    beside = naive.reindex(pd.MultiIndex.from_frame(table[key])).to_numpy()
    rows.append(
        table[["unique_id", "model", "cutoff", "ds", "published", "withdrawn", *_NUMBERS]].assign(
            kind="series",
            weeks=1,
            naive_y_hat=beside,
            scale=table["unique_id"].map(series.scale).to_numpy(float),
        )
    )
    if len(places.areas):
        cutoff = places.table["cutoff"].iloc[0]
        areas = places.areas
        long_run = areas[areas["model"] == PLACE_NAIVE].set_index(["offense", "weeks"])["y_hat"]
        pairs = pd.MultiIndex.from_frame(areas[["offense", "weeks"]])
        rows.append(
            areas.drop(columns="offense").assign(
                kind="places",
                unique_id=f"{CITY}/" + areas["offense"],
                cutoff=cutoff,
                ds=cutoff + WEEK,
                naive_y_hat=long_run.reindex(pairs).to_numpy(),
            )
        )
    entries = [
        FORECAST_SCORES.conform(
            part.assign(made_as_of=pd.Timestamp(as_of)).reindex(
                columns=FORECAST_SCORES.column_names
            )
        )
        for part in rows
    ]
    return pd.concat(entries, ignore_index=True)


def append(ledger: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Add entries that the ledger does not hold; those that it holds stay as they were written.

    A forecast is held once its kind, series, cutoff and week are, by whatever model: a week made
    again with other data or settings leaves what was published first.
    """
    if ledger.empty:
        return entries.reset_index(drop=True)
    held = pd.MultiIndex.from_frame(ledger[_SAME])
    fresh = entries[~pd.MultiIndex.from_frame(entries[_SAME]).isin(held)]
    return pd.concat([ledger, fresh], ignore_index=True) if len(fresh) else ledger


def settle(
    ledger: pd.DataFrame, incidents: pd.DataFrame, department: Department, as_of: dt.date
) -> pd.DataFrame:
    """Fill in the score of every entry whose weeks have settled, and leave all else alone.

    Parameters
    ----------
    ledger
        The ``forecast_scores`` table.
    incidents
        The ``incidents`` table.
    department
        Whose books; its grid scores the places.
    as_of
        The day of the present book.

    Returns
    -------
    The ledger, row for row. An entry is scored 28 days after the end of its weeks (with a monthly
    feed, at the publication after that; `book_days.SETTLE_DAYS`), with what was known by that
    very day, however much later it is done: so weeks may be filled in in any order. It is left
    open while the feed does not cover its weeks, and for good where precincts were redrawn in
    between or the grid is another than that of its cells.
    """
    days = book_days(department, as_of, as_of)
    waiting = ledger[ledger["scored_as_of"].isna()]
    ends = waiting["ds"] + waiting["weeks"] * WEEK - DAY
    due = pd.Series([days.is_settled(end) for end in ends], index=waiting.index, dtype=bool)
    waiting = waiting[due]
    if waiting.empty:
        return ledger
    known = known_by(incidents, as_of)
    known_days = pd.Series(known["known_on"].dropna().unique())
    first, last = waiting["ds"].min(), ends[due].max()
    day = counted_day(known, department)
    happened = known["occurred_from"].between(first, last + DAY, inclusive="left")
    recent = known.loc[happened | day.between(first, last), _COLUMNS]
    out = ledger.copy()
    for (kind, start, weeks), rows in waiting.groupby(["kind", "ds", "weeks"], sort=True):
        ds = pd.Timestamp(str(start))
        end = ds + int(str(weeks)) * WEEK - DAY
        by = days.settled(end)
        spans = coverage(known_days[known_days <= by], department)
        if not covers(spans, ds.date(), end.date()):
            continue
        then = recent[recent["known_on"] <= by]
        score = _score_series if kind == "series" else _score_places
        score(out, rows, then, department, ds, end)
        done = out.loc[rows.index, "y" if kind == "series" else "hits"].notna()
        out.loc[done.index[done], "scored_as_of"] = by
    return FORECAST_SCORES.conform(out)


def _score_series(
    out: pd.DataFrame,
    rows: pd.DataFrame,
    known: pd.DataFrame,
    department: Department,
    ds: pd.Timestamp,
    end: pd.Timestamp,
) -> None:
    y = _counts(known, department, ds, end)
    redrawn = [pd.Timestamp(day) for day in department.redistricted_on]
    moved = [
        any(cutoff + 6 * DAY < day <= end for day in redrawn) and not name.startswith(f"{CITY}/")
        for cutoff, name in zip(rows["cutoff"], rows["unique_id"], strict=True)
    ]
    rows = rows[~np.asarray(moved, dtype=bool)]
    # A series without a record in the week had none: zero, not missing.
    seen = rows["unique_id"].map(y).fillna(0.0).to_numpy(float)
    crps = from_table(rows).crps(seen)
    naive = pd.Series(crps, index=pd.MultiIndex.from_frame(rows[["unique_id", "cutoff"]]))
    naive = naive[(rows["model"] == NAIVE).to_numpy()]
    beside = naive.reindex(pd.MultiIndex.from_frame(rows[["unique_id", "cutoff"]])).to_numpy()
    index = rows.index
    out.loc[index, "y"] = seen
    out.loc[index, "error"] = rows["y_hat"].to_numpy() - seen
    out.loc[index, "crps"] = crps
    out.loc[index, "naive_crps"] = beside
    out.loc[index, "scaled_crps"] = crps / rows["scale"].to_numpy()
    out.loc[index, "in_80"] = (rows["lo_80"].to_numpy() <= seen) & (seen <= rows["hi_80"])
    out.loc[index, "in_95"] = (rows["lo_95"].to_numpy() <= seen) & (seen <= rows["hi_95"])


def _counts(
    known: pd.DataFrame, department: Department, ds: pd.Timestamp, end: pd.Timestamp
) -> dict[str, float]:
    """Net count of every series and total on the days from ``ds`` to ``end``."""
    day = counted_day(known, department)
    rows = known[(day >= ds) & (day <= end)]
    precinct = comparable_precinct(rows, department, ds.date())
    by_offense = rows.groupby("offense")["count"].sum()
    by_place = rows.groupby([precinct, "offense"])["count"].sum()
    out = {f"{CITY}/{offense}": float(n) for offense, n in by_offense.items()}
    for (place, offense), n in zip(by_place.index.to_list(), by_place, strict=True):
        out[series_name(str(place), str(offense))] = float(n)
    for total, parts in TOTALS.items():
        out[f"{CITY}/{total}"] = float(by_offense.reindex(list(parts)).sum())
        for place in by_place.index.get_level_values(0).unique():
            inside = by_place[place].reindex(list(parts)).sum()
            out[series_name(str(place), total)] = float(inside)
    return out


def _score_places(
    out: pd.DataFrame,
    rows: pd.DataFrame,
    known: pd.DataFrame,
    department: Department,
    ds: pd.Timestamp,
    end: pd.Timestamp,
) -> None:
    rows = rows[rows["grid"] == grid_name(department)]
    if rows.empty:
        return
    grid = place_grid(department)
    number = {str(cell): i for i, cell in enumerate(grid.cell_id)}
    happened = known[(known["occurred_from"] >= ds) & (known["occurred_from"] < end + DAY)]
    for name, part in rows.groupby("unique_id", sort=True):
        events = usable_events(happened, [str(name).split("/", 1)[1]])
        cell = grid.locate(events["x"].to_numpy(float), events["y"].to_numpy(float))
        counts = np.bincount(cell[cell >= 0], minlength=len(grid)).astype(float)
        for _, both in part.groupby("cutoff", sort=True):
            naive = both[both["model"] == PLACE_NAIVE]["cells"]
            beside = _caught(counts, number, naive.iloc[0]) if len(naive) else np.nan
            for index, row in both.iterrows():
                chosen = len(row["cells"].split())
                hits, total = _caught(counts, number, row["cells"]), float(counts.sum())
                best = float(np.sort(counts)[::-1][:chosen].sum())
                share = chosen / len(grid)
                scores = {
                    "hits": hits,
                    "naive_hits": beside,
                    "best_hits": best,
                    "events": total,
                    "area_share": share,
                    "pai": pai(hits, total, share),
                    "pei_star": pei_star(hits, best),
                }
                for column, value in scores.items():
                    out.loc[index, column] = value


def _caught(counts: npt.NDArray[np.float64], number: dict[str, int], cells: str) -> float:
    return float(counts[[number[c] for c in cells.split() if c in number]].sum())


def scored_by(ledger: pd.DataFrame, kind: str, as_of: dt.date) -> pd.DataFrame:
    return ledger[(ledger["kind"] == kind) & (ledger["scored_as_of"] <= pd.Timestamp(as_of))]


def _last_settled(days: BookDays, cutoff: pd.Timestamp) -> pd.Timestamp:
    """First day of the last week up to the cutoff that has settled by the present book."""
    while not days.is_settled(cutoff + 6 * DAY):
        cutoff -= WEEK
    return cutoff


def judged_series(
    ledger: pd.DataFrame, department: Department, week_ending: dt.date, as_of: dt.date
) -> pd.DataFrame:
    """Judge each series by its published forecasts of the last eight settled weeks.

    Only forecasts of earlier books count, of each week the latest one, and only what was scored
    by ``as_of``. A series without all eight weeks is not judged here.

    Returns
    -------
    By ``unique_id``: ``crps, naive_crps, withdrawn, basis``. The chosen model is judged whether
    it was published or not, so that a withdrawn series can come back.
    """
    days = book_days(department, week_ending, as_of)
    cutoff = pd.Timestamp(week_ending) - 6 * DAY
    last = _last_settled(days, cutoff)
    rows = scored_by(ledger, "series", as_of)
    rows = rows[
        (rows["model"] != NAIVE)
        & (rows["cutoff"] < cutoff)
        & (rows["ds"] <= last)
        & (rows["ds"] > last - JUDGED_WEEKS * WEEK)
        & rows["naive_crps"].notna()
    ]
    rows = rows.sort_values("cutoff").drop_duplicates(["unique_id", "ds"], keep="last")
    by = rows.groupby("unique_id")
    out = by[["crps", "naive_crps"]].mean()[by.size() == JUDGED_WEEKS]
    return out.assign(withdrawn=out["crps"] >= out["naive_crps"], basis="published forecasts")


def judged_places(
    ledger: pd.DataFrame, department: Department, week_ending: dt.date, as_of: dt.date
) -> pd.DataFrame:
    """Judge each place layer by its published four-week forecasts of the last eight weeks.

    Every earlier forecast whose weeks lie within the last eight settled ones counts; together
    they must cover all eight.

    Returns
    -------
    By offense: ``hits, naive_hits``.
    """
    days = book_days(department, week_ending, as_of)
    cutoff = pd.Timestamp(week_ending) - 6 * DAY
    last = _last_settled(days, cutoff)
    first = last - (JUDGED_WEEKS - 1) * WEEK
    longest = max(HORIZONS)
    rows = scored_by(ledger, "places", as_of)
    rows = rows[
        (rows["model"] != PLACE_NAIVE)
        & (rows["weeks"] == longest)
        & (rows["cutoff"] < cutoff)
        & (rows["ds"] >= first)
        & (rows["ds"] + (longest - 1) * WEEK <= last)
        & rows["naive_hits"].notna()
    ]
    offense = rows["unique_id"].str.split("/", n=1).str[1].rename("offense")
    by = rows.groupby(offense)
    covered = by["ds"].agg(lambda starts: _weeks_covered(starts, longest) >= JUDGED_WEEKS)
    return by[["hits", "naive_hits"]].sum()[covered.astype(bool)]


def _weeks_covered(starts: Iterable[pd.Timestamp], weeks: int) -> int:
    return len({start + k * WEEK for start in starts for k in range(weeks)})
