"""Tables of forecasts: the weeks to come, last week's forecast and what came, the scorecard."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import pandas as pd

from beatbook.book import formatting
from beatbook.book.blocks import Callout, Column, ColumnGroup, Row, Table
from beatbook.compstat.late_weeks import of_geography
from beatbook.errors import InvalidInput
from beatbook.forecasts.models import NAIVE
from beatbook.forecasts.place_models import PLACE_NAIVE
from beatbook.offenses import ROWS, TOTALS

MODEL_WORDS = {
    "seasonal_naive": "the same weeks a year ago (naive)",
    "recent_mean": "mean of the last 8 weeks",
    "exponential_smoothing": "exponential smoothing",
    "count_regression": "count regression",
    "pooled_level": "shared season, recent level",
    "prophet": "prophet",
    "mix": "mix of two models",
    "bottom_up": "sum of its parts",
    "fallback": "mean of its own last year (fallback)",
    "long_run_count": "count of all years (naive)",
    "recent_count": "count of the last half year",
    "kernel_density": "kernel density",
    "prospective_hotspot": "prospective hotspot map",
    "self_exciting": "self-exciting process",
}
"""How the models are named to a reader; one that is not listed goes by its own name."""

_ORDER = (*ROWS, *TOTALS)
_ENDS = ("low", "high")


def model_words(model: str) -> str:
    """Name a model in plain words: ``pooled_level`` is "shared season, recent level"."""
    return MODEL_WORDS.get(str(model), str(model).replace("_", " "))


def forecast_table(forecasts: pd.DataFrame, caption: str, geography: str | None = None) -> Table:
    """Lay out the forecasts of the weeks to come, an offense a row and a week a column.

    Parameters
    ----------
    forecasts : DataFrame
        The ``forecasts`` table of the week: ``geography_type, geography, offense, ds, y_hat,
        lo_80, hi_80, published, withdrawn, model``; only published rows are shown.
    caption : str
        Printed above.
    geography : str, optional
        A precinct's code; the city by default.

    Returns
    -------
    Table
        "48 (38 to 59)": the expected count and its 80 % interval. A withdrawn forecast's row says
        so in its last column.

    Raises
    ------
    InvalidInput
        Where a column is missing, or nothing is forecast for the place.
    """
    needed = ("offense", "ds", "y_hat", "lo_80", "hi_80", "published", "withdrawn", "model")
    _require(forecasts, needed, caption)
    rows = of_geography(forecasts, geography)
    rows = rows[rows["published"].astype(bool)]
    if rows.empty:
        raise InvalidInput(f"Table {caption!r}: nothing is forecast for this place")
    weeks = sorted(rows["ds"].unique())
    lines = []
    for offense in _ordered(rows["offense"].unique()):
        part = rows[rows["offense"] == offense].set_index("ds")
        cells = [
            f"{formatting.estimate(part['y_hat'].get(week))} "
            f"({formatting.interval(part['lo_80'].get(week), part['hi_80'].get(week))})"
            if week in part.index
            else formatting.UNDEFINED
            for week in weeks
        ]
        withdrawn = bool(part["withdrawn"].iloc[0])
        by = "withdrawn: naive" if withdrawn else model_words(part["model"].iloc[0])
        lines.append(Row([offense, *cells, by], _style(offense)))
    heads = [Column(formatting.day(pd.Timestamp(week))) for week in weeks]
    return Table(
        caption=caption,
        groups=[ColumnGroup("", 1), ColumnGroup("Week of", len(weeks)), ColumnGroup("", 1)],
        columns=[Column("Offense", "left"), *heads, Column("By", "left")],
        rows=lines,
        notes=["The expected count of the week and, in brackets, its 80 % interval."],
    )


def last_forecast_table(
    judged: pd.DataFrame, basis: Literal["published", "back-test"], label: str = ""
) -> Table | Callout:
    """Lay out what was forecast for the week against what came.

    Parameters
    ----------
    judged : DataFrame
        From :func:`beatbook.compstat.late_weeks.last_forecast`: ``offense, week, cutoff, y_hat,
        lo_80, hi_80, reported, final, verdict``, one row an offense.
    basis : {"published", "back-test"}
        Whether the forecasts were published at their time, or made afterwards with no more than
        was known then; the caption says which.
    label : str
        The place, for the caption ("District 3").

    Returns
    -------
    Table or Callout
        A note where nothing was forecast for the week. Inside, above or below the 80 % interval
        is said in words; the legend says how many would fall outside if all is well.

    Raises
    ------
    InvalidInput
        Where a column is missing, or the basis is another.
    """
    if basis not in ("published", "back-test"):
        raise InvalidInput(f"basis is {basis!r}; it is 'published' or 'back-test'")
    if judged.empty:
        return Callout(
            "note",
            "No earlier forecast of this week",
            ["None was made with what was known before it, so there is nothing to hold it to."],
        )
    needed = ("offense", "week", "cutoff", "y_hat", "lo_80", "hi_80", "reported", "final",
              "verdict")  # fmt: skip
    _require(judged, needed, "Last forecast")
    week = judged["week"].iloc[0]
    span = formatting.day_range(week, week + pd.Timedelta(days=6))
    made = (
        "as it went on record"
        if basis == "published"
        else "by back-test (made afterwards, from what was known then)"
    )
    where = f"{label}: " if label else ""
    rows = [
        Row(
            [
                row["offense"],
                formatting.estimate(row["y_hat"]),
                formatting.interval(row["lo_80"], row["hi_80"]),
                formatting.count(row["reported"]),
                formatting.estimate(row["final"]),
                row["verdict"],
            ],
            _style(row["offense"]),
            [5] if row["verdict"] != "inside" else [],
        )
        for row in judged.to_dict("records")
    ]
    return Table(
        caption=f"{where}the forecast for {span}, {made}, and what came",
        columns=[
            Column("Offense", "left"),
            Column("Forecast"),
            Column("80 % interval"),
            Column("Reported"),
            Column("Expected in the end"),
            Column("Beside the interval", "left"),
        ],
        rows=rows,
        notes=[_cutoffs(judged), _outside(judged)],
    )


def _cutoffs(judged: pd.DataFrame) -> str:
    last = sorted({pd.Timestamp(day) + pd.Timedelta(days=6) for day in judged["cutoff"]})
    told = formatting.listed([formatting.day(day) for day in last])
    return (
        f"Made with counts up to {told}. Where records are still to come, the count expected in "
        "the end decides; else the reported one."
    )


def _outside(judged: pd.DataFrame) -> str:
    outside = int((judged["verdict"] != "inside").sum())
    return (
        f"{outside:,d} of {formatting.counted(len(judged), 'count')} "
        f"{'lies' if outside == 1 else 'lie'} outside; with 80 % intervals about "
        f"{0.2 * len(judged):.0f} would by chance alone."
    )


def scorecard_table(
    scorecard: pd.DataFrame,
    caption: str,
    kind: Literal["series", "places"] = "series",
    geography_type: str | None = None,
) -> Table | Callout:
    """Lay out how good the forecasts have been, each beside the naive one, in plain words.

    Parameters
    ----------
    scorecard : DataFrame
        The ``forecast_scorecard`` table of the week. Needed: ``basis, kind, geography_type,
        group`` (offense, or all), ``weeks, model, chosen, forecasts``; for series ``over_naive``
        (absolute error over the naive's; below 1 is better), ``bias`` (sum of errors over sum of
        what came), ``coverage_80, coverage_95`` (shares); for places ``hit_rate`` (share of
        offenses caught), ``pai, pai_low, pai_high, pei_star``, ``gain, gain_low, gain_high`` (hits
        over those of the naive count, less one: 0.06 is 6 % more).
    caption : str
        Printed above.
    kind : {"series", "places"}
        How many, or where.
    geography_type : str, optional
        Only city or only precinct rows; all by default.

    Returns
    -------
    Table or Callout
        One row a group, its chosen model (for places one a horizon, for each basis one). A
        forecast that does not beat the naive one says so. A note where nothing is scored yet.

    Raises
    ------
    InvalidInput
        Where a column is missing.
    """
    scores = {
        "series": ("over_naive", "bias", "coverage_80", "coverage_95"),
        "places": (
            "hit_rate", "pai", "pai_low", "pai_high", "pei_star", "gain", "gain_low", "gain_high",
        ),
    }  # fmt: skip
    if kind not in scores:
        raise InvalidInput(f"kind is {kind!r}; it is 'series' or 'places'")
    shared = (
        "basis", "kind", "geography_type", "group", "weeks", "model", "chosen", "forecasts",
    )  # fmt: skip
    _require(scorecard, (*shared, *scores[kind]), caption)
    rows = scorecard[(scorecard["kind"] == kind) & scorecard["chosen"].astype(bool)]
    if geography_type is not None:
        rows = rows[rows["geography_type"] == geography_type]
    if rows.empty:
        return Callout("note", "No scorecard yet", ["No forecast has met its weeks so far."])
    ordered = rows.assign(place=rows["group"].map(_rank)).sort_values(
        ["place", "geography_type", "weeks", "basis"], kind="stable"
    )
    several = {name: ordered[name].nunique() > 1 for name in ("geography_type", "weeks", "basis")}
    make = _series_row if kind == "series" else _places_row
    heads = {
        "series": [
            Column("Error beside the naive forecast", "left"), Column("Within 80 %"),
            Column("Within 95 %"), Column("Bias"), Column("Forecasts"),
        ],
        "places": [
            Column("Hits beside the naive count", "left"), Column("Share caught"),
            Column("PAI (95 % interval)"), Column("PEI*"), Column("Forecasts"),
        ],
    }  # fmt: skip
    lines = [
        Row(
            [_group_words(row, several), model_words(str(row["model"])), *make(row)],
            "total" if str(row["group"]).lower() == "all" else _style(str(row["group"])),
        )
        for row in ordered.to_dict("records")
    ]
    bases = [str(basis) for basis in dict.fromkeys(ordered["basis"].dropna()) if str(basis)]
    return Table(
        caption=caption,
        columns=[Column("Offense", "left"), Column("Forecast by", "left"), *heads[kind]],
        rows=lines,
        notes=[_LEGENDS[kind], *([f"Scored on: {'; '.join(bases)}."] if bases else [])],
    )


_LEGENDS = {
    "series": (
        "Naive: the same weeks a year ago. Error: mean absolute error, all weeks ahead together. "
        "Within: share of weeks inside the interval, which should come near its name. Bias: the "
        "forecasts together beside what came, + too high."
    ),
    "places": (
        "Naive: the cells with most offenses in all years, the same area. Share caught: offenses "
        "inside the forecast area. PAI: that share over the area's share of the city. PEI*: hits "
        "over the most that any equal area could have caught."
    ),
}


def _series_row(row: dict) -> list[str]:
    return [
        _beside_naive(row["over_naive"], str(row["model"]) == NAIVE),
        _percent(row["coverage_80"]),
        _percent(row["coverage_95"]),
        formatting.percent(100 * row["bias"], decimals=0),
        formatting.count(row["forecasts"]),
    ]


def _places_row(row: dict) -> list[str]:
    pai = formatting.UNDEFINED
    if not formatting.is_missing(row["pai"]):
        pai = f"{row['pai']:.1f}"
        if not formatting.is_missing(row["pai_low"]):
            pai += f" ({row['pai_low']:.1f} to {row['pai_high']:.1f})"
    return [
        _gain(row),
        _percent(row["hit_rate"]),
        pai,
        formatting.UNDEFINED
        if formatting.is_missing(row["pei_star"])
        else f"{row['pei_star']:.2f}",
        formatting.count(row["forecasts"]),
    ]


def _beside_naive(ratio: float, is_naive: bool) -> str:
    if is_naive:
        return "the naive itself: no model beat it"
    if formatting.is_missing(ratio):
        return "not scored yet"
    percent = round(100 * (1 - float(ratio)))
    if percent > 0:
        return f"{percent} % less"
    more = f": {-percent} % more" if percent < 0 else ""
    return f"does not beat it{more}"


def _gain(row: dict) -> str:
    if str(row["model"]) == PLACE_NAIVE:
        return "the naive itself: no model beat it"
    if formatting.is_missing(row["gain"]):
        return "not scored yet"
    said = formatting.percent(100 * row["gain"], decimals=0)
    if not formatting.is_missing(row["gain_low"]):
        low, high = (formatting.percent(100 * row[f"gain_{end}"], decimals=0) for end in _ENDS)
        said += f" ({low.removesuffix(' %')} to {high})"
        if row["gain"] > 0 and row["gain_low"] <= 0:
            said += ", could be chance"
    return said if row["gain"] > 0 else f"does not beat it: {said}"


def _percent(share: float) -> str:
    return formatting.UNDEFINED if formatting.is_missing(share) else f"{100 * share:.0f} %"


def _group_words(row: dict, several: Mapping[str, bool]) -> str:
    group = str(row["group"])
    name = "All offenses" if group.lower() == "all" else group
    if several["geography_type"]:
        name += f", {'whole city' if row['geography_type'] == 'city' else 'by precinct'}"
    if several["weeks"]:
        name += f", {formatting.counted(int(row['weeks']), 'week')}"
    if several["basis"]:
        name += f" ({'published' if str(row['basis']).startswith('published') else 'back-test'})"
    return name


def _rank(group: str) -> int:
    return _ORDER.index(group) if group in _ORDER else len(_ORDER)


def _ordered(offenses: Iterable[str]) -> list[str]:
    return sorted(map(str, offenses), key=_rank)


def _style(offense: str) -> Literal["plain", "total"]:
    return "total" if offense.startswith("Total") else "plain"


def _require(frame: pd.DataFrame, columns: Sequence[str], caption: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InvalidInput(f"Table {caption!r}: the frame lacks {formatting.listed(missing)}")
