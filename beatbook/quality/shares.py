"""Shares of records by period, the latest held against its own history.

One question, asked of many things: how many times fall on midnight, how many records come late,
how many have no place. What is usual differs from department to department, so nothing but the
department's own past says it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr, stdtrit

from beatbook.compstat.change import false_discovery_q
from beatbook.quality.staged import Staged

WINDOW = 12
"""Periods that say what is usual: a year of months, a quarter of weeks."""
AT_LEAST = 8
"""Fewer earlier periods than this say nothing of what is usual."""
FILLED = (
    "incident_number",
    "occurred_to",
    "reported_at",
    "beat",
    "neighborhood",
    "block_address",
    "origin",
)
"""Optional fields; whether they are filled is a fact about the publisher's export."""
MEASURES: dict[str, tuple[str, str, str]] = {
    "midnight": ("occurred_from", "minute = 0", "times at 00:00"),
    "one_past_midnight": ("occurred_from", "minute = 1", "times at 00:01"),
    "noon": ("occurred_from", "minute = 720", "times at 12:00"),
    "late": ("known_on", "age > 45", "records of crimes more than 45 days old"),
    "future": ("occurred_from", "age < 0", "records of crimes after they were known"),
    "no_place": ("location_quality", "NOT withheld AND location_quality = 'missing'",
                 "records without a point"),
    "outside": ("location_quality", "location_quality = 'outside'", "points outside the city"),
    "no_precinct": ("precinct", "precinct_source = 'missing'", "records without a precinct"),
    "unlisted_precinct": ("precinct", "precinct_source = 'unlisted'",
                          "records with a precinct on no list"),
    "precinct_off_the_map": ("precinct", "precinct_disagrees",
                             "records whose precinct is not the map's"),
    "unmapped": ("offense", "offense = 'Unmapped'", "records with an unknown offense code"),
    "repeated": ("record_id", "repeated", "records that repeat an earlier one in full"),
    "canceled": ("count", "count = -1", "records that cancel an earlier one"),
    "unread": ("unread_fields", "unread", "records with a value that could not be read"),
    **{
        f"filled_{field}": (field, f"has_{field}", f"records with a value in {field}")
        for field in FILLED
    },
}  # fmt: skip
"""Measure to the field it is about, its condition on the table ``arrivals``, and its words."""


class ShareLimits(NamedTuple):
    """What a share was expected to be, and how far from it lies what was seen."""

    expected: float
    low: float
    high: float
    p: float


def share_limits(hits: npt.ArrayLike, records: npt.ArrayLike, window: int = WINDOW) -> ShareLimits:
    """Hold the last of a series of shares against the ones before it.

    Parameters
    ----------
    hits, records
        Counts by period, in order; a period without records is left out.
    window
        How many periods before give the expected share, and as many again what is left over.

    Returns
    -------
    ShareLimits
        The expected share (the median of the window, so that one odd month does not move it), the
        limits that 999 of 1,000 ordinary periods keep, and the two-sided p value. NaN where
        fewer than eight earlier periods hold records.

    Notes
    -----
    Shares are compared on the scale on which their sampling variance depends on the number of
    records only (arcsine of the square root, Anscombe's 3/8). To it comes the department's own
    unrest: the squared forecast errors of the earlier periods (each against the median of its own
    window) beyond sampling, their median scaled to a variance so that earlier oddities do not widen
    the limits. Student's t with as many degrees of freedom as there were forecast errors.
    """
    hit = np.asarray(hits, dtype=float)
    size = np.asarray(records, dtype=float)
    hit, size = hit[size > 0], size[size > 0]
    unknown = ShareLimits(np.nan, np.nan, np.nan, np.nan)
    if len(hit) < AT_LEAST + 1:
        return unknown
    angle = np.arcsin(np.sqrt((hit + 0.375) / (size + 0.75)))
    sampling = 1 / (4 * size + 2)
    first = min(AT_LEAST // 2, len(angle) - 1)
    starts = range(first, len(angle))
    usual = np.array([np.median(angle[max(0, t - window) : t]) for t in starts])
    error = angle[first:] - usual
    past = error[:-1][-3 * window :]
    noise = sampling[first:][:-1][-3 * window :]
    unrest = max(0.0, float(np.median(past**2)) / _MEDIAN_OF_SQUARE - float(np.median(noise)))
    scale = np.sqrt(unrest + sampling[-1] * (1 + 1.5 / min(window, len(angle) - 1)))
    degrees = len(past)
    p = float(2 * stdtr(degrees, -abs(error[-1]) / scale))
    reach = float(stdtrit(degrees, 0.9995)) * scale
    low, middle, high = (
        float(np.sin(np.clip(value, 0, np.pi / 2)) ** 2)
        for value in (usual[-1] - reach, usual[-1], usual[-1] + reach)
    )
    return ShareLimits(middle, low, high, p)


# The median of the square of a standard normal value.
_MEDIAN_OF_SQUARE = 0.4549


def shares(staged: Staged) -> pd.DataFrame:
    """The latest period's shares against their history.

    Returns
    -------
    DataFrame
        One row a measure that any period shows: ``measure, period, record_key, field, observed,
        expected, share, expected_share, low, high, change`` (observed minus expected share),
        ``p``, ``q`` (Benjamini and Hochberg over the measures). Empty without enough history.
    """
    columns = [
        "measure", "period", "record_key", "field", "observed", "expected", "share",
        "expected_share", "low", "high", "change", "p", "q",
    ]  # fmt: skip
    if len(staged.periods) < AT_LEAST + 1:
        return pd.DataFrame(columns=columns)
    sums = ", ".join(f"count(*) FILTER ({test}) AS {name}"
                     for name, (_, test, _) in MEASURES.items())  # fmt: skip
    counted = staged.ask(
        f"SELECT period, count(*) AS records, {sums} FROM arrivals GROUP BY period ORDER BY period"
    )
    if counted["period"].max() != len(staged.periods) - 1:
        return pd.DataFrame(columns=columns)
    name = staged.latest.name
    rows = []
    for measure, (field, _, words) in MEASURES.items():
        if not counted[measure].any():
            continue
        found = share_limits(counted[measure], counted["records"])
        hit, size = int(counted[measure].iloc[-1]), int(counted["records"].iloc[-1])
        rows.append(
            {
                "measure": measure,
                "period": name,
                "record_key": f"{name}|{measure}",
                "field": field,
                "observed": f"{hit:,} of {size:,} {words} ({hit / size:.1%})",
                "expected": f"{found.expected:.1%}, and {found.low:.1%} to {found.high:.1%} in "
                f"999 of 1,000 ordinary {staged.word}s",
                "share": hit / size,
                "expected_share": found.expected,
                "low": found.low,
                "high": found.high,
                "change": hit / size - found.expected,
                "p": found.p,
            }
        )
    table = pd.DataFrame(rows, columns=columns[:-1])
    table["q"] = false_discovery_q(table["p"].to_numpy(float))
    return table
