"""The scorecard: how good the forecasts were, beside their naive ones."""

import datetime as dt

import numpy as np
import pandas as pd

from beatbook.compstat.counts import UNKNOWN
from beatbook.forecasts.ledger import scored_by
from beatbook.forecasts.models import NAIVE
from beatbook.forecasts.place_models import PLACE_NAIVE
from beatbook.forecasts.places import summarize_places
from beatbook.forecasts.scores import summarize
from beatbook.forecasts.series import from_table
from beatbook.forecasts.weekly_places import WeeklyPlaces
from beatbook.forecasts.weekly_series import WeeklySeries
from beatbook.offenses import TOTALS
from beatbook.tables import FORECAST_SCORECARD

PUBLISHED = "published"
ALL = "all"
_BASIS = "published forecasts"


def scorecard(
    series: WeeklySeries, places: WeeklyPlaces, ledger: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Sum up the back-test as known, and the published forecasts once some have their outcome.

    Parameters
    ----------
    series, places
        This week's, with their back-tests.
    ledger
        The ``forecast_scores`` table; what was scored after ``as_of`` is left out.
    as_of
        The day of the book.

    Returns
    -------
    DataFrame
        The ``forecast_scorecard`` table. Groups are offenses and totals, and ``all``: every
        offense together, each series weighing alike, totals and the precinct Unknown left out.
        Of published forecasts, model ``published`` is what pages showed, naive or not; its
        windows of several weeks overlap, so that their bootstrap intervals are too narrow.
    """
    place = series.table.drop_duplicates("unique_id").set_index("unique_id")
    place = place[["geography_type", "geography", "offense"]]
    tables = []
    if len(series.scored):
        weeks = int((series.scored["ds"] - series.scored["cutoff"]).max() / pd.Timedelta(days=7))
        tested = _series(
            series.scored, place, weeks, f"back-test as known, {series.origins} origins"
        )
        tables.append(tested.assign(chosen=tested["model"] == series.chosen))
    if len(places.backtest):
        for (offense, length), part in places.backtest.groupby(["offense", "weeks"], sort=False):
            basis = f"back-test as known, {part['cutoff'].nunique()} origins"
            rows = _places(part, str(offense), int(str(length)), basis)
            tables.append(rows.assign(chosen=rows["model"] == places.chosen[str(offense)]))
    came = _published_series(ledger, place, as_of)
    if len(came):
        rows = _series(came, place, int(came["ahead"].max()), _BASIS)
        tables.append(rows.assign(chosen=rows["model"] == PUBLISHED))
    came = _published_places(ledger, as_of)
    if len(came):
        for (name, length), part in came.groupby(["unique_id", "weeks"], sort=True):
            rows = _places(part, str(name).split("/", 1)[1], int(str(length)), _BASIS)
            tables.append(rows.assign(chosen=rows["model"] == PUBLISHED))
    if not tables:
        return pd.DataFrame(columns=FORECAST_SCORECARD.column_names)
    full = [t.reindex(columns=FORECAST_SCORECARD.column_names) for t in tables]
    return pd.concat([t.dropna(axis=1, how="all") for t in full], ignore_index=True).reindex(
        columns=FORECAST_SCORECARD.column_names
    )


def _series(scored: pd.DataFrame, place: pd.DataFrame, weeks: int, basis: str) -> pd.DataFrame:
    rows = scored.join(place, on="unique_id", how="inner")
    rows = rows[rows["geography"] != UNKNOWN].rename(columns={"offense": "group"})
    by = ("geography_type", "group", "model")
    single = rows[~rows["group"].isin(TOTALS)]
    tables = [summarize(rows, by=by), summarize(single.assign(group=ALL), by=by)]
    out = pd.concat(tables, ignore_index=True).rename(columns={"mase_seasonal": "over_naive"})
    return out.assign(kind="series", weeks=weeks, basis=basis)


def _places(part: pd.DataFrame, offense: str, weeks: int, basis: str) -> pd.DataFrame:
    out = summarize_places(part, naive=PLACE_NAIVE)
    out["forecasts"] = part["cutoff"].nunique()
    return out.assign(kind="places", geography_type="city", group=offense, weeks=weeks, basis=basis)


def _published_series(ledger: pd.DataFrame, place: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    rows = scored_by(ledger, "series", as_of)
    rows = rows[rows["unique_id"].isin(place.index)]
    shown = rows[rows["published"]].assign(model=PUBLISHED)
    both = pd.concat([shown, rows[rows["model"] == NAIVE]], ignore_index=True)
    if both.empty:
        return both
    y = both["y"].to_numpy(float)
    scale = both["scale"].where(both["scale"] > 0)
    return both.assign(
        scaled_error=both["error"].abs() / scale,
        scaled_median_error=(both["median"] - y).abs() / scale,
        pit=from_table(both).randomized_pit(y, np.random.default_rng(0)),
        ahead=(both["ds"] - both["cutoff"]).dt.days // 7,
    )


def _published_places(ledger: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    rows = scored_by(ledger, "places", as_of)
    shown = rows[rows["published"]].assign(model=PUBLISHED)
    both = pd.concat([shown, rows[rows["model"] == PLACE_NAIVE]], ignore_index=True)
    return both.rename(columns={"best_hits": "best", "y_hat": "expected"}).assign(
        hits_before=np.nan, events_before=np.nan
    )
