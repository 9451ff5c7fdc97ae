"""What recent weeks will come to, and how last week's forecast fared against that."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from beatbook.compstat.counts import weekly_series
from beatbook.errors import InvalidInput
from beatbook.offenses import ROWS

_NEAR = pd.Timedelta(days=3)


def weeks_in_the_end(weeks: pd.DataFrame, nowcasts: pd.DataFrame | None) -> pd.DataFrame:
    """Say what the weeks that are still provisional should come to.

    Parameters
    ----------
    weeks
        Of one series: ``week`` (its first day), ``incidents`` (net, as reported).
    nowcasts
        Rows of the same series in the ``nowcasts`` table, spans ``week_1`` to ``week_4``:
        ``first_day, reported, expected_final, lo_80, hi_80``. None or empty: nothing is said.

    Returns
    -------
    DataFrame
        ``week, reported, final, low, high``, a row for each week that a span overlaps by four
        days or more (spans run back from the as-of day, weeks are the department's). The week is
        expected to come to its own count and as many records as are still to come of that span:
        records to come hardly depend on those at hand, so this never lowers a count. ``low`` and
        ``high`` are the 80 % interval. Spans without an ``expected_final`` are left out.

    Raises
    ------
    InvalidInput
        Where a column is missing.
    """
    found = []
    if nowcasts is not None and len(nowcasts):
        needed = ("first_day", "reported", "expected_final", "lo_80", "hi_80")
        _require(nowcasts, needed, "The nowcasts")
        known = nowcasts[nowcasts["expected_final"].notna()]
        first = known["first_day"].reset_index(drop=True)
        for week, reported in weeks[["week", "incidents"]].itertuples(index=False, name=None):
            days = (first - week).abs()
            if pd.isna(reported) or days.empty or days.min() > _NEAR:
                continue
            span = known.iloc[int(days.to_numpy().argmin())]
            final, low, high = (
                float(reported) + max(float(span[name]) - float(span["reported"]), 0.0)
                for name in ("expected_final", "lo_80", "hi_80")
            )
            found.append((week, float(reported), final, low, high))
    return pd.DataFrame(found, columns=["week", "reported", "final", "low", "high"])


def last_forecast(
    made: pd.DataFrame,
    weekly: pd.DataFrame,
    nowcasts: pd.DataFrame | None,
    week_ending: dt.date,
    geography: str | None = None,
    offenses: Sequence[str] = (*ROWS, "Total Part I"),
) -> pd.DataFrame:
    """Set what was forecast for a week against what came.

    Parameters
    ----------
    made
        Forecasts: ``unique_id`` ("City/Burglary", "3/Burglary"), ``ds`` (first day of the week),
        ``cutoff`` (first day of the last week used), ``y_hat, lo_80, hi_80``. Rows of
        ``forecast_scores`` or ``forecasts`` fit as they are: where ``kind`` is a column only
        ``series`` counts, where ``published`` is one only what was published. A back-test fits
        too, once it holds one model a series. Of several cutoffs the latest counts.
    weekly
        The ``weekly_counts`` table, of what is known by the as-of day.
    nowcasts
        The ``nowcasts`` table of the week, or None where nothing is expected to come in late.
    week_ending
        Last day of the week.
    geography
        A precinct's code; the city by default.
    offenses
        In this order; those without a forecast are left out.

    Returns
    -------
    DataFrame
        ``offense, week, cutoff, y_hat, lo_80, hi_80, reported, final`` (offenses; ``final``
        missing where the count is settled or unknown), ``verdict``: inside, above or below the
        80 % interval, judged by ``final`` where there is one. No rows where nothing was forecast.

    Raises
    ------
    InvalidInput
        Where a column is missing, or a series has two forecasts of one cutoff for the week.
    """
    _require(made, ("unique_id", "ds", "cutoff", "y_hat", "lo_80", "hi_80"), "The forecasts")
    week = pd.Timestamp(week_ending) - pd.Timedelta(days=6)
    rows = made[(made["ds"] == week) & (made["cutoff"] < week)]
    if "kind" in rows:
        rows = rows[rows["kind"] == "series"]
    if "published" in rows:
        rows = rows[rows["published"].astype("boolean").fillna(False).astype(bool)]
    place = "City" if geography is None else geography
    found = []
    for offense in offenses:
        of_series = rows[rows["unique_id"] == f"{place}/{offense}"]
        if of_series.empty:
            continue
        latest = of_series[of_series["cutoff"] == of_series["cutoff"].max()]
        if len(latest) > 1:
            raise InvalidInput(
                f"{place}/{offense} has {len(latest)} forecasts for the week of {week.date()}: "
                "keep one model a series"
            )
        row = latest.iloc[0]
        series = weekly_series(weekly, offense, week_ending, weeks=1, precinct=geography)
        series = series[series["week"] == week]
        if series.empty:
            continue
        expected = weeks_in_the_end(series, _of_series(nowcasts, offense, geography))
        reported = float(series["incidents"].iloc[0])
        final = float(expected["final"].iloc[0]) if len(expected) else np.nan
        came = reported if np.isnan(final) else final
        verdict = "above" if came > row["hi_80"] else "below" if came < row["lo_80"] else "inside"
        found.append((offense, week, row["cutoff"], float(row["y_hat"]), float(row["lo_80"]),
                      float(row["hi_80"]), reported, final, verdict))  # fmt: skip
    columns = ["offense", "week", "cutoff", "y_hat", "lo_80", "hi_80", "reported", "final",
               "verdict"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _of_series(
    nowcasts: pd.DataFrame | None, offense: str, geography: str | None
) -> pd.DataFrame | None:
    if nowcasts is None or nowcasts.empty:
        return None
    of_place = of_geography(nowcasts, geography)
    weekly = of_place["span"].astype(str).str.startswith("week_")
    return of_place[weekly & (of_place["offense"] == offense)]


def of_geography(frame: pd.DataFrame, geography: str | None) -> pd.DataFrame:
    """Keep the rows of one precinct, or of the city for None.

    Parameters
    ----------
    frame
        ``geography_type`` (city, precinct) and ``geography``.
    geography
        A precinct's code or None.
    """
    _require(frame, ("geography_type", "geography"), "The table")
    if geography is None:
        return frame[frame["geography_type"] == "city"]
    precinct = frame["geography_type"] == "precinct"
    return frame[precinct & (frame["geography"].astype(str) == str(geography))]


def _require(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InvalidInput(f"{where} lack(s) the column {', '.join(missing)}")
