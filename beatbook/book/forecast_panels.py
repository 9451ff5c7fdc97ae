"""Forecast panels: the last weeks as reported and as expected, and the weeks to come."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from beatbook.book import formatting, svg
from beatbook.book.blocks import Callout, Chart, ChartGrid
from beatbook.book.charts import SIZES, dress_axes, month_ticks, open_axes
from beatbook.compstat.counts import weekly_series
from beatbook.compstat.late_weeks import of_geography, weeks_in_the_end
from beatbook.errors import InvalidInput
from beatbook.forecasts.models import NAIVE
from beatbook.offenses import ROWS

WEEKS = 26
"""Half a year of counts: enough to see the level and its swing, and room for the weeks to come."""

FORECAST_COLUMNS = (
    "ds", "model", "y_hat", "lo_80", "hi_80", "lo_95", "hi_95", "published", "withdrawn", "reason",
)  # fmt: skip

KEY = (
    "Line: offenses a week as reported. Boxes right of the upright line: where the coming weeks "
    "should fall, the dark box in 8 of 10 cases, the light one in 19 of 20; the dash in it is the "
    "forecast, its last figure at the end. Dotted: the naive forecast (the same weeks a "
    "year ago; with less than a year of history, the last week)."
)
LATE_KEY = (
    " Hollow circles: weeks whose records are still coming in; diamonds: what they should come to "
    "in the end, with the range for 8 of 10 cases."
)
_BOX_95, _BOX_80 = "#dbe3ec", "#9db2c9"
_ALL_PART_ONE = "Total Part I"
_WEEK = pd.Timedelta(days=7)


def forecast_chart(
    history: pd.DataFrame,
    forecasts: pd.DataFrame,
    title: str,
    nowcasts: pd.DataFrame | None = None,
    size: Literal["small", "wide"] = "small",
    weeks: int = WEEKS,
) -> Chart:
    """Draw the last weeks of one series and its forecast beside the naive one.

    Parameters
    ----------
    history : DataFrame
        ``week`` (datetime64, its first day) and ``incidents`` (net, as reported), as
        :func:`beatbook.compstat.counts.weekly_series` gives them. The last ``weeks`` are drawn.
    forecasts : DataFrame
        The rows of one series in the ``forecasts`` table: ``ds`` (first day of the week),
        ``model``, ``y_hat`` (expected offenses), ``lo_80``, ``hi_80``, ``lo_95``, ``hi_95``,
        ``published`` (bool: the row to show, one a week), ``withdrawn`` (bool), ``reason``. The
        rows of ``seasonal_naive`` are the thin dotted line. Without a row, the chart shows the
        history and says that there is no forecast.
    title : str
        The offense; the chart's caption.
    nowcasts : DataFrame, optional
        The rows of the same series in the ``nowcasts`` table, spans ``week_1`` to ``week_4``:
        ``first_day``, ``reported``, ``expected_final``, ``lo_80``, ``hi_80``; see
        :func:`beatbook.compstat.late_weeks.weeks_in_the_end`.
    size : {"small", "wide"}
        Small for a grid of three across, wide to stand alone.
    weeks : int
        Weeks of history, 26 by default.

    Returns
    -------
    Chart
        The axis starts at zero. What is drawn differs by form, not by color alone. A withdrawn
        forecast is marked in the caption and in the picture; ``key`` says why.

    Raises
    ------
    InvalidInput
        Where a column is missing, no week has a count, a week or a forecast is there twice.
    """
    past = _history(history, title, weeks)
    ahead, naive = _forecasts(forecasts, title)
    late = weeks_in_the_end(past, nowcasts)
    provisional = past["week"].isin(late["week"])
    withdrawn = bool(len(ahead)) and bool(ahead["withdrawn"].iloc[0])
    key = KEY + (LATE_KEY if provisional.any() else "")
    if withdrawn:
        key = f"{key} {_withdrawal(ahead, title)}"
    return Chart(
        svg=_draw(past, provisional, late, ahead, naive, withdrawn, size),
        alt=_words(past, provisional, late, ahead, naive, title),
        caption=f"{title} (withdrawn: naive shown)" if withdrawn else title,
        key=key,
    )


def forecast_grid(
    weekly: pd.DataFrame,
    forecasts: pd.DataFrame,
    nowcasts: pd.DataFrame | None,
    week_ending: dt.date,
    geography: str | None = None,
    offenses: Sequence[str] = (*ROWS, _ALL_PART_ONE),
    across: int = 3,
) -> ChartGrid | Callout:
    """Draw a forecast panel an offense, for the city or for one precinct.

    Parameters
    ----------
    weekly : DataFrame
        The ``weekly_counts`` table (:func:`beatbook.compstat.counts.weekly_counts` of what was
        known by the as-of day).
    forecasts, nowcasts : DataFrame
        The tables of that name for the week, all series; ``nowcasts`` may be None or empty. See
        :func:`forecast_chart` for the columns; also ``geography_type`` (city, precinct),
        ``geography`` and ``offense``, and ``span`` in ``nowcasts``.
    week_ending : date
        Last day of the book's week: the last week of history shown.
    geography : str, optional
        A precinct's code; the city by default.
    offenses : sequence of str
        In this order; those without a forecast for this place are left out.
    across : int
        Panels in a row.

    Returns
    -------
    ChartGrid or Callout
        A note in words where nothing is forecast for this place (no table yet, too short a
        history). Reasons of withdrawn forecasts stand below the grid.

    Raises
    ------
    InvalidInput
        Where a column is missing.
    """
    _require(forecasts, ("offense",), "The forecasts")
    here = of_geography(forecasts, geography)
    late = None
    if nowcasts is not None and len(nowcasts):
        _require(nowcasts, ("offense", "span"), "The nowcasts")
        late = of_geography(nowcasts, geography)
        late = late[late["span"].astype(str).str.startswith("week_")]
    charts, notes = [], []
    for offense in offenses:
        rows = here[here["offense"] == offense]
        if rows.empty:
            continue
        chart = forecast_chart(
            weekly_series(weekly, offense, week_ending, weeks=WEEKS, precinct=geography),
            rows,
            offense,
            None if late is None else late[late["offense"] == offense],
        )
        shown = rows[_flags(rows["published"])]
        if len(shown) and _flags(shown["withdrawn"]).any():
            notes.append(_withdrawal(shown, offense))
        charts.append(chart)
    if not charts:
        return Callout(
            "note",
            "No forecast",
            ["Nothing is forecast for this week: too little history is known, or none was made."],
        )
    # One key below the grid; what holds for one panel alone follows it.
    key = KEY + (LATE_KEY if any(LATE_KEY in chart.key for chart in charts) else "")
    for chart in charts:
        chart.key = key
    return ChartGrid(charts, across=across, notes=notes)


def _history(history: pd.DataFrame, title: str, weeks: int) -> pd.DataFrame:
    _require(history, ("week", "incidents"), f"Chart {title!r}: the weeks")
    past = history.sort_values("week").tail(weeks).reset_index(drop=True)
    if past["week"].duplicated().any():
        raise InvalidInput(f"Chart {title!r}: a week is there twice")
    past["incidents"] = pd.to_numeric(past["incidents"]).astype("float64")
    if not past["incidents"].notna().any():
        raise InvalidInput(f"Chart {title!r}: no week has a count")
    return past


def _forecasts(forecasts: pd.DataFrame, title: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the rows into those shown and the naive ones, in order of weeks."""
    _require(forecasts, FORECAST_COLUMNS, f"Chart {title!r}: the forecasts")
    rows = forecasts.sort_values("ds")
    ahead, naive = rows[_flags(rows["published"])], rows[rows["model"] == NAIVE]
    for part in (ahead, naive):
        if part["ds"].duplicated().any():
            raise InvalidInput(
                f"Chart {title!r}: a week is forecast twice; give the rows of one series"
            )
    return ahead.reset_index(drop=True), naive.reset_index(drop=True)


def _draw(
    past: pd.DataFrame,
    provisional: pd.Series,
    late: pd.DataFrame,
    ahead: pd.DataFrame,
    naive: pd.DataFrame,
    withdrawn: bool,
    size: str,
) -> str:
    if size not in SIZES:
        raise InvalidInput(f"Size {size!r} is none of {', '.join(SIZES)}")
    with svg.style():
        figure, axes = open_axes(size)
        week, incidents = past["week"], past["incidents"]
        axes.plot(week, incidents, color=svg.LINE, linewidth=0.7, alpha=0.45)
        axes.plot(week, incidents.where(~provisional), color=svg.LINE, linewidth=0.9)
        axes.plot(
            week[provisional], incidents[provisional], linestyle="none", marker="o", markersize=3,
            markerfacecolor="white", markeredgecolor=svg.LINE, markeredgewidth=0.8, zorder=4,
        )  # fmt: skip
        if len(late):
            axes.vlines(
                late["week"], late["low"], late["high"], color=svg.INK, linewidth=0.7, zorder=3
            )
            axes.plot(
                late["week"], late["final"], linestyle="none", marker="D", markersize=2.4,
                markerfacecolor=svg.INK, markeredgecolor=svg.INK, markeredgewidth=0.3, zorder=3.5,
            )  # fmt: skip
        last = week.iloc[-1]
        if len(ahead):
            _draw_ahead(axes, ahead, naive, withdrawn)
            last = max(last, ahead["ds"].iloc[-1])
            axes.axvline(ahead["ds"].iloc[0] - _WEEK / 2, color=svg.MUTED, linewidth=0.6, zorder=1)
        else:
            axes.text(
                1.0, 1.0, "no forecast", transform=axes.transAxes, ha="right", va="top",
                fontsize=7, color=svg.MUTED,
            )  # fmt: skip
        highest = max(
            [1.0, float(incidents.max())]
            + [float(part[name].max()) for part, name in _tops(late, ahead, naive) if len(part)]
        )
        if withdrawn:
            highest *= 1.14  # room for the words above
        ticks = month_ticks(week.iloc[0], last, range(1, 13, 2))
        dress_axes(axes, float(incidents.min()), highest, week.iloc[0], last, ticks)
        return svg.to_svg(figure)


def _tops(
    late: pd.DataFrame, ahead: pd.DataFrame, naive: pd.DataFrame
) -> list[tuple[pd.DataFrame, str]]:
    return [(late, "high"), (ahead, "hi_95"), (naive, "y_hat")]


def _draw_ahead(axes: Any, ahead: pd.DataFrame, naive: pd.DataFrame, withdrawn: bool) -> None:
    for low, high, color in (("lo_95", "hi_95", _BOX_95), ("lo_80", "hi_80", _BOX_80)):
        axes.bar(
            ahead["ds"], ahead[high] - ahead[low], bottom=ahead[low], width=_WEEK * 0.86,
            color=color, edgecolor=svg.MUTED, linewidth=0.3, zorder=2,
        )  # fmt: skip
    if not withdrawn:
        axes.plot(
            naive["ds"], naive["y_hat"], color=svg.ALERT, linewidth=0.9, linestyle=(0, (1, 1.4)),
            marker="x", markersize=2.4, markeredgewidth=0.7, zorder=3,
        )  # fmt: skip
    half = _WEEK * 0.4
    axes.hlines(
        ahead["y_hat"], ahead["ds"] - half, ahead["ds"] + half, color=svg.INK, linewidth=1.4,
        linestyle="dotted" if withdrawn else "solid", zorder=5,
    )  # fmt: skip
    final = ahead.iloc[-1]
    axes.annotate(
        formatting.estimate(final["y_hat"]), (final["ds"] + _WEEK * 0.45, final["y_hat"]),
        xytext=(2, 0), textcoords="offset points", va="center", fontsize=7.5, weight="bold",
        annotation_clip=False,
    )  # fmt: skip
    if withdrawn:
        axes.text(
            0.0, 1.0, "withdrawn: naive shown", transform=axes.transAxes, ha="left", va="top",
            fontsize=7, weight="bold", color=svg.ALERT,
        )  # fmt: skip


def _words(
    past: pd.DataFrame,
    provisional: pd.Series,
    late: pd.DataFrame,
    ahead: pd.DataFrame,
    naive: pd.DataFrame,
    title: str,
) -> str:
    """Say the chart in words: the last weeks, what they should come to, and what is forecast."""
    counted = past[past["incidents"].notna()]
    first, last = counted.iloc[0], counted.iloc[-1]
    words = [
        f"{title}: {formatting.counted(len(past), 'week')} of counts from the week of "
        f"{formatting.day(first['week'])}; the week of {formatting.day(last['week'])} has "
        f"{formatting.count(last['incidents'])} reported"
        f"{', still provisional' if provisional.iloc[-1] else ''}."
    ]
    if len(late):
        newest = late.iloc[-1]
        words.append(
            f"With late records the week of {formatting.day(newest['week'])} should come to "
            f"{formatting.estimate(newest['final'])} "
            f"(80 % interval {formatting.interval(newest['low'], newest['high'])})."
        )
    if ahead.empty:
        return " ".join([*words, "There is no forecast."])
    said = [
        f"the week of {formatting.day(row['ds'])} {formatting.estimate(row['y_hat'])} "
        f"(80 % {formatting.interval(row['lo_80'], row['hi_80'])}, "
        f"95 % {formatting.interval(row['lo_95'], row['hi_95'])})"
        for row in ahead.to_dict("records")
    ]
    words.append(f"Forecast: {'; '.join(said)}.")
    if bool(ahead["withdrawn"].iloc[0]):
        words.append(_withdrawal(ahead, title))
    elif len(naive):
        same = formatting.listed([formatting.estimate(value) for value in naive["y_hat"]])
        words.append(f"The naive forecast says {same}.")
    return " ".join(words)


def _withdrawal(shown: pd.DataFrame, title: str) -> str:
    reason = shown["reason"].iloc[0]
    known = "" if formatting.is_missing(reason) else str(reason).strip().rstrip(".")
    if not known:
        known = "the model did not beat the naive forecast over the last 8 weeks"
    return f"{title}: forecast withdrawn and the naive one shown. Why: {known}."


def _flags(values: pd.Series) -> pd.Series:
    return values.astype("boolean").fillna(False).astype(bool)


def _require(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InvalidInput(f"{where} lack {formatting.listed(missing)}")
