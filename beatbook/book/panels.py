"""Panels that the city's book and a precinct's packet share: made once, alike in both."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from beatbook.areas import load_outlines
from beatbook.book.blocks import Callout, ChartGrid, Text
from beatbook.book.charts import weekly_chart
from beatbook.book.hours import hour_weekday_chart
from beatbook.compstat.caveats import Share
from beatbook.compstat.counts import comparable_precinct, weekly_counts, weekly_series
from beatbook.department import Department
from beatbook.errors import MissingTable
from beatbook.hotspots.hours import offense_hours
from beatbook.hotspots.weekly import NEAR_REPEAT_OFFENSES
from beatbook.offenses import ROWS
from beatbook.store import load_table

if TYPE_CHECKING:
    import geopandas as gpd

CHARTED = (*ROWS, "Total Part I")
TIMED = (*NEAR_REPEAT_OFFENSES, "Larceny", "Total Part I")


def two_years(
    incidents: pd.DataFrame, settings: Department, week_ending: dt.date, precinct: str | None = None
) -> pd.DataFrame:
    """Count the weeks that the charts of two years show, and the weeks before for their bands.

    Parameters
    ----------
    incidents : DataFrame
        Those of the whole city known by the as-of day (the feed's coverage is read from them):
        ``occurred_from, reported_at, known_on, precinct, offense, count``.
    settings : Department
        Of the book.
    week_ending : date
        Last week counted.
    precinct : str, optional
        Count under the division in force in that week, from its first whole week on: before it
        the same code meant another place. Without it records keep the code of their time.

    Returns
    -------
    DataFrame
        As :func:`beatbook.compstat.counts.weekly_counts`; empty where the division in force has
        no whole week yet.
    """
    # Two years shown, and eight weeks before them for the band.
    start = pd.Timestamp(week_ending) - pd.Timedelta(weeks=104 + 9)
    kept = incidents[(incidents["occurred_from"] >= start) | (incidents["known_on"] >= start)]
    if precinct is None:
        return weekly_counts(kept, settings)
    kept = kept.assign(precinct=comparable_precinct(kept, settings, week_ending))
    counts = weekly_counts(kept, settings)
    begun = [day for day in settings.redistricted_on if day <= week_ending]
    return counts[counts["week"] >= pd.Timestamp(begun[-1])] if begun else counts


def weekly_panel(
    counts: pd.DataFrame,
    settings: Department,
    week_ending: dt.date,
    as_of: dt.date,
    precinct: str | None = None,
    offenses: Sequence[str] = CHARTED,
) -> ChartGrid | Text:
    """Draw two years of weekly counts, a chart an offense, with the band of ordinary noise.

    Parameters
    ----------
    counts : DataFrame
        Of :func:`two_years`, or any ``weekly_counts``.
    settings : Department
        Of the book.
    week_ending, as_of : date
        Last week shown; weeks not yet settled by ``as_of`` are drawn as provisional.
    precinct : str, optional
        Only this one; the city by default.
    offenses : sequence of str
        CompStat rows and totals.

    Returns
    -------
    ChartGrid or Text
        Text where there is no whole week to show.
    """
    if counts[counts["week"] <= pd.Timestamp(week_ending)].empty:
        label = settings.areas.precinct.label.lower()
        return Text(f"No whole week has passed since the {label}s were redrawn.")
    late = settings.book.late_coding
    provisional = as_of - dt.timedelta(weeks=len(late.weeks)) if late else None
    return ChartGrid(
        [
            weekly_chart(
                weekly_series(counts, offense, week_ending, precinct=precinct),
                title=offense,
                provisional_from=provisional,
            )
            for offense in offenses
        ]
    )


def forecast_panel(
    counts: pd.DataFrame, settings: Department, week_ending: dt.date, precinct: str | None = None
) -> ChartGrid | Callout:
    """Draw what is forecast for the city or a precinct, or say that nothing was.

    Parameters
    ----------
    counts : DataFrame
        Of :func:`two_years`.
    settings : Department
        Whose ``forecasts`` and ``nowcasts`` of the week are loaded, where they are published.
    week_ending : date
        Last day of the book's week.
    precinct : str, optional
        Only this one; the city by default.
    """
    from beatbook.book.forecast_panels import forecast_grid

    week = week_ending.isoformat()
    try:
        forecasts = load_table("forecasts", settings.slug, week_ending=week)
        nowcasts = load_table("nowcasts", settings.slug, week_ending=week)
    except MissingTable:
        return Callout("note", "No forecast", ["None was made for this week."])
    return forecast_grid(counts, forecasts, nowcasts, week_ending, precinct)


def hours_panel(
    incidents: pd.DataFrame, since: pd.Timestamp, week_ending: dt.date
) -> tuple[Text, ChartGrid]:
    """Draw hour by weekday, a panel an offense, with the words on how the hours are known.

    Parameters
    ----------
    incidents : DataFrame
        ``offense, count, occurred_from, occurred_to``; of a precinct or the city.
    since, week_ending : date
        First and last day counted.
    """
    end = pd.Timestamp(week_ending) + pd.Timedelta(days=1)
    year = incidents[(incidents["occurred_from"] >= since) & (incidents["occurred_from"] < end)]
    hours = {offense: offense_hours(year, offense) for offense in TIMED}
    total = hours["Total Part I"]
    if total.ranged:
        known = (
            f"{Share(total.ranged, total.incidents)} records give a span of time, which is shared "
            "over its hours."
        )
    else:
        known = (
            "The feed gives no end of occurrence, so each record counts in the hour it started; "
            "a start typed as midnight or noon for want of a better one counts there too."
        )
    return (
        Text(f"From {since:%Y-%m-%d} to {week_ending}. {known}"),
        ChartGrid([hour_weekday_chart(found.week, offense) for offense, found in hours.items()]),
    )


def base_areas(
    settings: Department, kinds: Sequence[str] = ("precinct", "beat", "neighborhood")
) -> "dict[str, gpd.GeoDataFrame]":
    """Give the outlines of each kind of area that the department publishes, by its word."""
    return {
        settings.areas.kind(kind).label: load_outlines(settings, kind)
        for kind in kinds
        if settings.areas.kind(kind).file
    }


def printed_provenance(table: pd.DataFrame) -> dict[str, str]:
    """Give what a book prints of where its figures come from.

    Parameters
    ----------
    table : DataFrame
        A published table, of :func:`beatbook.load_table`.
    """
    made_from = table.attrs["provenance"]
    return {
        "Feed sha256": made_from["feed_sha256"],
        "Code version": made_from["code_version"],
        # Tables of an older Beatbook know of no decisions.
        "Decisions sha256": made_from.get("decisions_sha256", "none"),
    }


def method_words(settings: Department, as_of: dt.date) -> str:
    """Say how the figures were counted and tested, and where they come from."""
    counted_by = "occurred" if settings.count_by == "occurrence" else "were reported"
    year_ago = (
        "the same dates a year earlier"
        if settings.year_ago == "same_dates"
        else "the same weekdays 364 days earlier"
    )
    return (
        f"Counts are net offenses (a canceled record counts -1) on the day they {counted_by}, "
        f"known by {as_of}. Each window is set against the period before and against {year_ago}. "
        "A change is tested with the two-sided Poisson E-test (Krishnamoorthy and Thomson 2004) "
        "over its days, and the false-discovery rate is held at 5 % over all tests of the book "
        "(Benjamini and Hochberg 1995). The band in the charts is the square-root Poisson band of "
        "the eight weeks before, three standard errors wide. A base of zero has no percentage. "
        "Arson is Part I and stays outside the totals, the FBI's convention."
        f"\n\nSource: {settings.attribution}"
    )
