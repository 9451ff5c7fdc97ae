"""What a chief reads in one minute: few sentences, each from a test or an estimate."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from beatbook.compstat.headlines import (
    SMALL_BASE,
    beyond_noise,
    first_headlines,
    how_sure,
    sentence,
)

TOTAL = "Total Part I"
MOST_CHANGES = 4


class DataInQuestion(NamedTuple):
    """How much of the data is in question.

    ``rows`` of the feed, ``refused`` of them in no count; ``open_items`` in the steward's queue;
    ``in_question`` records that an open item is about; ``failing_checks`` of ``checks`` rules.
    """

    rows: int
    refused: int
    open_items: int
    in_question: int
    failing_checks: int
    checks: int


def first_page(
    table: pd.DataFrame,
    precinct_label: str,
    nowcasts: pd.DataFrame | None = None,
    judged: pd.DataFrame | None = None,
    quality: DataInQuestion | None = None,
    most: int = MOST_CHANGES,
) -> list[str]:
    """Say a book in a few sentences: what changed, what will rise, how the forecast did, the data.

    Parameters
    ----------
    table
        The ``compstat`` table of the book.
    precinct_label
        What the department calls its precincts.
    nowcasts
        The ``nowcasts`` table of the week: ``geography_type, geography, offense, span, first_day,
        last_day, reported, expected_final, lo_80, hi_80, prior, change``. None or empty where
        there is none; then nothing is said of what is still to come.
    judged
        From :func:`beatbook.compstat.late_weeks.last_forecast`, of the city. None or empty: nothing
        is said of the last forecast.
    quality
        Of the data; None: nothing is said.
    most
        How many changes at most.

    Returns
    -------
    list of str
        Eight lines at most with ``most`` at four. Each begins with what it is about. A change is
        told only where its q-value is under 5 % over all tests of the book, the larger of its two
        counts is at least ``SMALL_BASE``, and, for a fall, late records cannot undo it; the line
        on how many more there are states the first two rules.
    """
    lines = _changes(table, precinct_label, nowcasts, most)
    if nowcasts is not None and len(nowcasts):
        lines += _still_to_come(nowcasts)
    if judged is not None and len(judged):
        lines += _last_forecast(judged)
    if quality is not None:
        lines.append(_in_question(quality))
    return lines


def _changes(
    table: pd.DataFrame, precinct_label: str, nowcasts: pd.DataFrame | None, most: int
) -> list[str]:
    everything = beyond_noise(table)
    chosen = first_headlines(table, nowcasts, most)
    lines = [
        f"{sentence(row, precinct_label)}; {how_sure(row['p_value'])}."
        for row in chosen.to_dict("records")
    ]
    more = len(everything) - len(chosen)
    rule = f"beyond noise and on a count of {SMALL_BASE} or more"
    if not lines and more:
        changes = "one change is" if more == 1 else f"{more:,} changes are"
        lines.append(
            f"Changes: {changes} {rule}, marked in the tables; late records or records without a "
            "place could explain each."
        )
    elif not lines:
        lines.append(f"Changes: none is {rule}.")
    elif more:
        changes = "one more change is" if more == 1 else f"{more:,} more changes are"
        lines.append(f"Changes: {changes} {rule}, marked in the tables.")
    return lines


def _still_to_come(nowcasts: pd.DataFrame) -> list[str]:
    rows = nowcasts[
        (nowcasts["geography_type"] == "city")
        & (nowcasts["offense"] == TOTAL)
        & (nowcasts["span"] == "28_days")
        & nowcasts["expected_final"].notna()
    ]
    if rows.empty:
        return []
    row = rows.iloc[0]
    span = _span(row["first_day"], row["last_day"])
    reported, final = round(float(row["reported"])), round(float(row["expected_final"]))
    if final <= reported:
        words = (
            f"Still to come: hardly any late record of {span}; the {reported:,} Part I offenses "
            "reported should stand"
        )
    else:
        words = (
            f"Still to come: {reported:,} Part I offenses of {span} are reported, about {final:,} "
            f"are expected in the end (80 % interval {row['lo_80']:,.0f} to {row['hi_80']:,.0f})"
        )
    change = row.get("change")
    if change is None or pd.isna(change):
        return [f"{words}."]
    return [f"{words}. {_like_for_like(float(change))}."]


def _like_for_like(change: float) -> str:
    percent = round(100 * change)
    if percent == 0:
        return "Like for like with a year ago, as it stood at this age: no change"
    direction = "more" if percent > 0 else "fewer"
    return f"Like for like with a year ago, as it stood at this age: {abs(percent)} % {direction}"


def _last_forecast(judged: pd.DataFrame) -> list[str]:
    total = judged[judged["offense"] == TOTAL]
    parts = judged[~judged["offense"].astype(str).str.startswith("Total")]
    if total.empty and parts.empty:
        return []
    words = []
    if len(total):
        row = total.iloc[0]
        came = f"{row['reported']:,.0f} are reported"
        if pd.notna(row["final"]) and round(row["final"]) > round(row["reported"]):
            came += f", about {row['final']:,.0f} expected in the end"
        place = {"inside": "inside", "above": "above it", "below": "below it"}[row["verdict"]]
        words.append(
            f"Forecast for {_span(row['week'], row['week'] + pd.Timedelta(days=6))}: "
            f"{row['y_hat']:,.0f} Part I offenses (80 % interval {row['lo_80']:,.0f} to "
            f"{row['hi_80']:,.0f}); {came}: {place}."
        )
    if len(parts):
        words.append(f"{'Of' if words else 'Forecast: of'} {_outside(parts)}")
    return [" ".join(words)]


def _outside(parts: pd.DataFrame) -> str:
    inside = parts["verdict"] == "inside"
    whole = f"{len(parts):,} offense{'' if len(parts) == 1 else 's'}"
    if inside.all():
        return f"{whole} {'it' if len(parts) == 1 else 'all'} came inside."
    named = [f"{row['offense']} ({row['verdict']})" for row in parts[~inside].to_dict("records")]
    return f"{whole} {int(inside.sum()):,} came inside; outside: {_listed(named)}."


def _in_question(quality: DataInQuestion) -> str:
    words = []
    if quality.refused:
        share = 100 * quality.refused / quality.rows if quality.rows else 0.0
        words.append(
            f"{quality.refused:,} of {quality.rows:,} rows of the feed ({_percent(share)}) could "
            f"not be read and {'is' if quality.refused == 1 else 'are'} in no count"
        )
    else:
        words.append(f"all {quality.rows:,} rows of the feed are counted")
    if quality.open_items:
        items = f"{quality.open_items:,} question{'' if quality.open_items == 1 else 's'}"
        wait = "waits" if quality.open_items == 1 else "wait"
        about = f", about {quality.in_question:,} record{'' if quality.in_question == 1 else 's'}"
        words.append(f"{items} {wait} for the steward{about if quality.in_question else ''}")
    else:
        words.append("no question waits for the steward")
    if quality.checks:
        met = quality.checks - quality.failing_checks
        words.append(f"{met:,} of {quality.checks:,} checks are met")
    return f"Data: {'; '.join(words)}."


def _percent(share: float) -> str:
    return "under 0.1 %" if 0 < share < 0.1 else f"{share:.1f} %"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _span(first: Any, last: Any) -> str:
    """Write days of this book, both included, without their year: ``Dec 4 to 31``."""
    start, end = pd.Timestamp(first), pd.Timestamp(last)
    month = "" if start.month == end.month else f"{_MONTHS[end.month - 1]} "
    return f"{_MONTHS[start.month - 1]} {start.day} to {month}{end.day}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
