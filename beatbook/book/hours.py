"""Hour by weekday: when offenses happen, as a panel of a book."""

import pandas as pd

from beatbook.book import svg
from beatbook.book.blocks import Chart
from beatbook.book.maps import PALETTE, ZERO
from beatbook.errors import InvalidInput

SIZE = (2.9, 2.6)
KEY = (
    "Each square is an hour of a weekday; the darker, the more incidents. An incident known only "
    "as a span of hours is shared over them. Bars below sum the hours, bars at the right the days."
)


def hour_weekday_chart(week: pd.DataFrame, title: str, unit: str = "incidents") -> Chart:
    """Draw a table of hours by weekday.

    Parameters
    ----------
    week : DataFrame
        As :func:`beatbook.hotspots.aoristic_week` gives it: rows 0 to 23, columns Mon to Sun,
        values in incidents; negative sums (more canceled than counted) are drawn as zero.
    title : str
        Printed above.
    unit : str
        What the values count, for the words that stand for the picture.

    Returns
    -------
    Chart

    Raises
    ------
    InvalidInput
        If the table is not 24 by 7.
    """
    if week.shape != (24, 7):
        raise InvalidInput(f"{title}: a table of 24 hours by 7 days is needed, not {week.shape}.")
    shown = week.clip(lower=0.0)
    return Chart(svg=_draw(shown), alt=_words(shown, title, unit), caption=title, key=KEY)


def _draw(week: pd.DataFrame) -> str:
    from matplotlib.colors import LinearSegmentedColormap

    with svg.style():
        width, height = SIZE
        figure = svg.new_figure(width, height)
        main = figure.add_axes((0.12, 0.27, 0.72, 0.70))
        below = figure.add_axes((0.12, 0.11, 0.72, 0.14), sharex=main)
        right = figure.add_axes((0.855, 0.27, 0.125, 0.70), sharey=main)
        colors = LinearSegmentedColormap.from_list("book", [ZERO, *PALETTE])
        highest = max(float(week.to_numpy().max()), 1e-9)
        main.pcolormesh(
            range(25), range(8), week.T.to_numpy(), cmap=colors, vmin=0, vmax=highest,
            edgecolors="white", linewidth=0.4,
        )  # fmt: skip
        main.set_ylim(7, 0)
        main.set_yticks([day + 0.5 for day in range(7)], list(week.columns))
        main.tick_params(length=0)
        main.tick_params(labelbottom=False)
        below.bar([h + 0.5 for h in range(24)], week.sum(axis=1), width=0.86, color=svg.LINE)
        below.set_xlim(0, 24)
        below.set_xticks([0, 6, 12, 18, 24], ["0", "6", "12", "18", "24"])
        below.set_yticks([])
        right.barh([d + 0.5 for d in range(7)], week.sum(axis=0), height=0.8, color=svg.LINE)
        right.set_xticks([])
        right.tick_params(labelleft=False, length=0)
        for axes in (main, below, right):
            for spine in axes.spines.values():
                spine.set_visible(False)
        return svg.to_svg(figure)


def _words(week: pd.DataFrame, title: str, unit: str) -> str:
    total = float(week.to_numpy().sum())
    if total <= 0:
        return f"{title}: no {unit}."
    hours, days = week.sum(axis=1), week.sum(axis=0)
    # The busiest six hours in a row, over midnight too: a single hour says little.
    spans = {h: sum(float(hours[(h + k) % 24]) for k in range(6)) for h in range(24)}
    start = max(spans, key=lambda hour: spans[hour])
    share = 100 * spans[start] / total
    return (
        f"{title}: hours by weekday. The busiest six hours are {start}:00 to {(start + 6) % 24}:00 "
        f"with {share:.0f} % of {total:,.0f} {unit}; the busiest day is {days.idxmax()} with "
        f"{100 * float(days.max()) / total:.0f} %."
    )
