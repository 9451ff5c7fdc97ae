"""Charts of a book: weekly counts with the band of what chance alone would do."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from beatbook.book import formatting, svg
from beatbook.book.blocks import Chart
from beatbook.errors import InvalidInput

WEEK_COLUMNS = ("week", "incidents", "mean", "low", "high", "outside")

#: Inches. Three small ones fill the width of a landscape page.
SIZES: dict[str, tuple[float, float]] = {"small": (3.2, 1.62), "wide": (7.2, 2.5)}

KEY = (
    "Line: incidents a week, with the last week's count at its end. "
    "Shaded: the range that chance alone would keep them in. "
    "Triangle up: week above the range; triangle down: week below it."
)
PROVISIONAL_KEY = " Hollow circles: recent weeks, still provisional."

# How many weeks outside the band the alternative text names; a listener will not hold more.
_NAMED = 5


def weekly_chart(
    weeks: pd.DataFrame,
    title: str,
    provisional_from: Any = None,
    size: Literal["small", "wide"] = "small",
) -> Chart:
    """Draw weekly counts with their noise band, weeks outside it marked by shape.

    Parameters
    ----------
    weeks : DataFrame
        One row a week: ``week`` (datetime64, the day it starts on), ``incidents``, ``mean``,
        ``low``, ``high`` (incidents; NaN where there is no history yet), ``outside`` (bool).
        Rows are sorted by week; a missing count is a gap in the line, never a zero.
    title : str
        What is counted; the chart's caption.
    provisional_from : date, optional
        Weeks from this day on are drawn as hollow circles: their counts will still rise.
    size : {"small", "wide"}
        Small for a grid of three across, wide to stand alone.

    Returns
    -------
    Chart
        The axis starts at zero. Its alternative text says the last value, its band and the
        latest weeks outside.

    Raises
    ------
    InvalidInput
        Where a column is missing, there is no counted week, or a week is there twice.
    """
    missing = [name for name in WEEK_COLUMNS if name not in weeks.columns]
    if missing:
        raise InvalidInput(f"Chart {title!r}: the weeks lack {formatting.listed(missing)}")
    if size not in SIZES:
        raise InvalidInput(f"Chart {title!r}: size {size!r} is none of {', '.join(SIZES)}")
    data = weeks.sort_values("week").reset_index(drop=True)
    if data["week"].duplicated().any():
        raise InvalidInput(f"Chart {title!r}: a week is there twice")
    for name in ("incidents", "mean", "low", "high"):
        data[name] = pd.to_numeric(data[name]).astype("float64")
    data["outside"] = data["outside"].astype("boolean").fillna(False).astype(bool)
    if not data["incidents"].notna().any():
        raise InvalidInput(f"Chart {title!r}: no week has a count")
    provisional = pd.Series(False, index=data.index)
    if provisional_from is not None:
        provisional = data["week"] >= pd.Timestamp(provisional_from)
    key = KEY + (PROVISIONAL_KEY if provisional.any() else "")
    return Chart(
        svg=_draw(data, provisional, size),
        alt=_words(data, provisional, title),
        caption=title,
        key=key,
    )


def _draw(data: pd.DataFrame, provisional: pd.Series, size: str) -> str:
    with svg.style():
        figure, axes = open_axes(size)
        week, incidents = data["week"], data["incidents"]
        axes.fill_between(week, data["low"], data["high"], color=svg.BAND, linewidth=0)
        axes.plot(week, data["mean"], color="#8fa2b7", linewidth=0.7)
        settled = incidents.where(~provisional)
        axes.plot(week, incidents, color=svg.LINE, linewidth=0.7, alpha=0.45)
        axes.plot(week, settled, color=svg.LINE, linewidth=0.9)
        axes.plot(
            week[provisional], incidents[provisional], linestyle="none", marker="o", markersize=3,
            markerfacecolor="white", markeredgecolor=svg.LINE, markeredgewidth=0.8,
        )  # fmt: skip
        for above, marker in ((True, "^"), (False, "v")):
            chosen = data["outside"] & ((incidents > data["high"]) == above)
            axes.plot(
                week[chosen], incidents[chosen], linestyle="none", marker=marker, markersize=4.2,
                markerfacecolor=svg.ALERT, markeredgecolor="white", markeredgewidth=0.4,
            )  # fmt: skip
        _label_last(axes, data)
        _dress(axes, data)
        return svg.to_svg(figure)


def _label_last(axes: Any, data: pd.DataFrame) -> None:
    last = data[data["incidents"].notna()].iloc[-1]
    axes.annotate(
        formatting.count(last["incidents"]), (last["week"], last["incidents"]),
        xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5, weight="bold",
        annotation_clip=False,
    )  # fmt: skip


def _dress(axes: Any, data: pd.DataFrame) -> None:
    top = max(1.0, float(data[["incidents", "high"]].max().max()))
    lowest = float(data["incidents"].min())
    first, last = data["week"].iloc[0], data["week"].iloc[-1]
    dress_axes(axes, lowest, top, first, last, _half_years(first, last))


def open_axes(size: str) -> tuple[Any, Any]:
    """Open a figure of one of ``SIZES`` with axes that leave room for the labels of a chart."""
    width, height = SIZES[size]
    figure = svg.new_figure(width, height)
    axes = figure.add_axes((0.3 / width, 0.24 / height, 1 - 0.6 / width, 1 - 0.32 / height))
    return figure, axes


def dress_axes(
    axes: Any,
    lowest: float,
    highest: float,
    first: pd.Timestamp,
    last: pd.Timestamp,
    ticks: Sequence[dt.datetime],
) -> None:
    """Give the axes of weekly counts the look of all charts: from zero, few ticks, thin rules.

    Parameters
    ----------
    axes
        Of :func:`open_axes`, drawn upon.
    lowest, highest : float
        Of all that is drawn; the axis starts at zero unless a net count lies below.
    first, last : Timestamp
        First days of the first and the last week.
    ticks : sequence of datetime
        First days of months; January bears its year, the others their name.
    """
    from matplotlib.ticker import MaxNLocator

    # Cancellations can bring a week below zero; the axis then follows, else it starts at zero.
    axes.set_ylim(min(0.0, lowest * 1.1), highest * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True, min_n_ticks=2))
    axes.yaxis.set_major_formatter(lambda value, _: formatting.count(value))
    axes.set_xlim(first - pd.Timedelta(days=5), last + pd.Timedelta(days=5))
    axes.set_xticks(
        list(ticks), [f"{t:%Y}" if t.month == 1 else formatting.month(t) for t in ticks]
    )
    axes.grid(axis="y", color=svg.RULE, linewidth=0.4)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.tick_params(axis="x", length=3, width=0.6, pad=2)


def _half_years(first: pd.Timestamp, last: pd.Timestamp) -> list[dt.datetime]:
    """Ticks at the turn of each half year; for a shorter span, of each quarter."""
    return month_ticks(first, last, (1, 7) if (last - first).days > 400 else (1, 4, 7, 10))


def month_ticks(
    first: pd.Timestamp, last: pd.Timestamp, months: Sequence[int]
) -> list[dt.datetime]:
    """The first days of some months of the year between two days."""
    ticks = [
        dt.datetime(year, month, 1) for year in range(first.year, last.year + 1) for month in months
    ]
    return [tick for tick in ticks if first <= pd.Timestamp(tick) <= last]


def _words(data: pd.DataFrame, provisional: pd.Series, title: str) -> str:
    """Say the chart in words: what, how long, the last value with its band, weeks outside."""
    counted = data[data["incidents"].notna()]
    first, last = counted.iloc[0], counted.iloc[-1]
    words = [
        f"{title}: weekly counts over {formatting.counted(len(data), 'week')}, from the week of "
        f"{formatting.day(first['week'])} to the week of {formatting.day(last['week'])}."
    ]
    value = formatting.counted(int(last["incidents"]), "incident")
    if pd.isna(last["low"]) or pd.isna(last["high"]):
        words.append(f"The last week has {value}; there is no range yet to hold it against.")
    else:
        place = "inside"
        if last["outside"]:
            place = "above" if last["incidents"] > last["high"] else "below"
        words.append(
            f"The last week has {value}, {place} the range of {last['low']:,.0f} to "
            f"{last['high']:,.0f} that chance alone would keep it in."
        )
    outside = counted[counted["outside"]]
    if outside.empty:
        words.append("No week is outside its range.")
    else:
        named = [
            f"the week of {formatting.day(row['week'])} ({formatting.count(row['incidents'])}, "
            f"{'above' if row['incidents'] > row['high'] else 'below'})"
            for row in outside.tail(_NAMED).to_dict("records")
        ]
        verb = "is" if len(outside) == 1 else "are"
        which = ", the latest of them" if len(outside) > _NAMED else ""
        words.append(
            f"{formatting.counted(len(outside), 'week')} {verb} outside{which}: "
            f"{formatting.listed(named)}."
        )
    if provisional.any():
        words.append(
            f"The last {formatting.counted(int(provisional.sum()), 'week')} "
            f"{'is' if provisional.sum() == 1 else 'are'} provisional."
        )
    return " ".join(words)
