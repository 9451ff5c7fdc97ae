"""Nowcast: what the count of recent weeks will be when the late records have come in."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.forecasts.distribution import CountForecast, moment_size

FloatArray = npt.NDArray[np.float64]
DAY = pd.Timedelta(days=1)

# Late records are counted until half a year after; few come later, and waiting longer would make
# the history older than the clerks' present habits.
_SETTLE_DAYS = 183
# Late shares are discounted with a half-life of about a year.
_RATE = 0.002
_LEVEL_RATE = 0.0115
# A span of which the books usually hold less than this is not nowcast but forecast.
_LEAST_SHARE = 0.2
_LEAST_DATES = 12
# With fewer late records than this in five years a group takes the others' dispersion.
_LEAST_LATE = 100


class LagHistory(NamedTuple):
    """Counts of one span as they stood at each past date, and one step later, two, and so on.

    ``known`` has shape (dates, steps + 1, groups); entries after the last date are missing.
    """

    dates: pd.DatetimeIndex
    known: FloatArray
    groups: pd.DataFrame


def book_dates(known_on: pd.Series, as_of: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the past days that are to ``known_on`` what ``as_of`` is, and ``as_of`` itself.

    For a feed published in lumps (monthly), each publication day moved by the days that
    ``as_of`` lies after the last one; for a daily feed, every seventh day back. Ten years at most.
    """
    days = pd.DatetimeIndex(known_on[known_on <= as_of].dt.normalize().unique()).sort_values()
    if len(days) == 0:
        raise InvalidInput(f"No record was known by {as_of.date()}.")
    first = max(days[0], as_of - 3653 * DAY)
    span = max((as_of - days[0]) / DAY, 1.0)
    if len(days) / span > 0.25:
        # Counted back from the day itself: a range given both ends would start from the other.
        weeks = max(int((as_of.normalize() - first - 35 * DAY) / (7 * DAY)), 0)
        return pd.DatetimeIndex(
            pd.date_range(end=as_of.normalize(), periods=weeks + 1, freq="7D", unit="us")
        )
    moved = days + (as_of.normalize() - days[-1])
    # The day itself stays, also where it is the first of all.
    return moved[(moved >= first + 20 * DAY) | (moved == moved[-1])]


def lag_history(
    incidents: pd.DataFrame, dates: pd.DatetimeIndex, span: tuple[int, int], by: Sequence[str] = ()
) -> LagHistory:
    """Count a span as it stood at each date and at the dates after it.

    Parameters
    ----------
    incidents
        ``occurred_from``, ``known_on``, ``count`` and the columns of ``by``.
    dates
        Increasing; the last is the day the question is asked. Nothing known later is counted.
    span
        Ages in days, ``(0, 28)`` for the 28 days that end with the date itself.
    by
        Columns to group by; a missing value is a group of its own.
    """
    young, old = span
    if not 0 <= young < old:
        raise InvalidInput(f"A span runs from an age to an older one, in days; got {span!r}.")
    step = float(np.median(np.diff(dates.to_numpy()) / np.timedelta64(1, "D"))) if len(
        dates) > 1 else 30.0  # fmt: skip
    steps = max(1, round(_SETTLE_DAYS / step))
    rows = incidents[incidents["known_on"] <= dates[-1] + DAY - pd.Timedelta(1, "us")]
    code, groups = _groups(rows, by)
    day = rows["occurred_from"].dt.normalize().to_numpy("datetime64[D]")
    order = np.argsort(day, kind="stable")
    day, code = day[order], np.asarray(code)[order]
    count = rows["count"].to_numpy(float)[order]
    at = np.searchsorted(dates.to_numpy("datetime64[D]"),
                         rows["known_on"].to_numpy("datetime64[D]")[order])  # fmt: skip
    shape = (steps + 1, len(groups))
    known = np.zeros((len(dates), *shape))
    for j, date in enumerate(dates.to_numpy("datetime64[D]")):
        lo, hi = np.searchsorted(day, [date - old + 1, date - young + 1])
        later = np.maximum(at[lo:hi] - j, 0)
        kept = later <= steps
        place = later[kept] * shape[1] + code[lo:hi][kept]
        known[j] = np.bincount(place, count[lo:hi][kept], shape[0] * shape[1]).reshape(shape)
    known = known.cumsum(axis=1)
    for j in range(len(dates)):
        known[j, max(len(dates) - j, 0) :] = np.nan
    return LagHistory(dates, known, groups)


def _groups(rows: pd.DataFrame, by: Sequence[str]) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Number the groups of rows in the order of their names; a missing name is Unknown."""
    code = np.zeros(len(rows), dtype=np.int64)
    if not by:
        return code, pd.DataFrame(index=range(1))
    columns = []
    for name in by:
        # Each column by itself: tuples of names take twenty times as long.
        column = rows[name]
        if not pd.api.types.is_integer_dtype(column.dtype):
            column = column.astype(object).fillna("Unknown")
        number, names = pd.factorize(column, sort=True)
        code = code * len(names) + number
        columns.append((name, names))
    found, code = np.unique(code, return_inverse=True)
    held = {}
    for name, names in reversed(columns):
        held[name] = np.asarray(names)[found % len(names)]
        found = found // len(names)
    return code, pd.DataFrame({name: held[name] for name in by})


def nowcast(
    incidents: pd.DataFrame,
    as_of: pd.Timestamp,
    *,
    spans: Sequence[tuple[int, int]] = ((0, 28),),
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """Estimate the eventual count of recent spans from how late records used to come.

    Parameters
    ----------
    incidents
        ``occurred_from``, ``known_on``, ``count`` (+1 or -1) and the columns of ``by``, of the
        offenses asked for. Records known after ``as_of`` change nothing.
    as_of
        The day of the book.
    spans
        Ages in days: ``((0, 28),)`` the last four weeks, ``((0, 7), (7, 14))`` the last two.
    by
        Columns (``["offense"]``, ``["offense", "precinct"]``) to nowcast by; the parts add up to
        the whole, which is estimated first.

    Returns
    -------
    One row a span and group: ``first_day, last_day``, the columns of ``by``, ``reported`` (as it
    stands), ``expected_final``, ``lo_80, hi_80, lo_95, hi_95`` (whole numbers), ``completeness``
    (reported over expected) and ``as_of``. With under a year of history, or where the books
    usually hold under a fifth of the span, the estimate is missing: forecast those weeks.

    Notes
    -----
    "Final" is what is known half a year later. The number still to come of past spans, at past
    dates of the same standing (`book_dates`), is a Poisson regression with history discounted by
    half a year to year: on the logarithm of the count as it stands, of expected over reported
    count (records that come and records to come are independent if Poisson, so a low count alone
    does not mean that few are missing), and on whether the date is on a weekend, when the last
    days lie uncoded. Dates under half a year ago enter with what is known of them, raised by how
    much of the late records used to be known by then (chain ladder, Mack 1993). Intervals are
    negative binomial with the size of the past errors. A group's late share is drawn to the
    whole's by 200 records' worth; groups are then scaled to add up to the whole.
    """
    dates = book_dates(incidents["known_on"], pd.Timestamp(as_of))
    tables = []
    for span in spans:
        history = lag_history(incidents, dates, span, by)
        whole, size, parts, part_size = _estimate(history)
        late = np.array([whole]) if not by else parts
        sizes = np.array([size]) if not by else part_size
        now = history.known[-1, 0]
        table = history.groups.assign(
            first_day=dates[-1] - (span[1] - 1) * DAY,
            last_day=dates[-1] - span[0] * DAY,
            reported=now.astype(np.int64),
            expected_final=now + late,
        )
        ends = {"lo_80": 0.1, "hi_80": 0.9, "lo_95": 0.025, "hi_95": 0.975}
        if np.isfinite(late).all():
            forecast = CountForecast(late, sizes)
            for name, level in ends.items():
                table[name] = now + forecast.quantile(level)
        else:
            table = table.assign(**dict.fromkeys(ends, np.nan))
        table["completeness"] = now / table["expected_final"].where(table["expected_final"] > 0)
        tables.append(table.assign(as_of=dates[-1]))
    return pd.concat(tables, ignore_index=True)


def plain_ratio(history: LagHistory, dates: int = 12) -> FloatArray:
    """Return each group's count divided by its completeness over the last settled dates.

    The yardstick that a nowcast must beat; by group, each group's own ratio.
    """
    steps = history.known.shape[1] - 1
    settled = np.arange(len(history.dates) - steps)[-dates:]
    now, final = history.known[settled, 0].sum(axis=0), history.known[settled, -1].sum(axis=0)
    share = np.where((now > 0) & (final > 0), now / np.maximum(final, 1e-9), 1.0)
    return np.asarray(history.known[-1, 0] / share)


def _estimate(history: LagHistory) -> tuple[float, float, FloatArray, FloatArray]:
    known = history.known
    n, steps, groups = len(history.dates), known.shape[1] - 1, known.shape[2]
    past = n - 1
    nothing = (np.nan, np.nan, np.full(groups, np.nan), np.full(groups, np.nan))
    if past - steps < _LEAST_DATES:
        return nothing
    whole = known.sum(axis=2)
    settled = np.arange(past - steps + 1)[-36:]
    came = whole[settled, 1:] - whole[settled, :1]
    share = np.clip(came.sum(axis=0) / max(came[:, -1].sum(), 1e-9), 0.05, 1.5)
    if whole[settled, 0].sum() < _LEAST_SHARE * whole[settled, -1].sum():
        return nothing
    after = np.minimum(past - np.arange(past), steps)
    rows = np.arange(past)
    raised = share[after - 1]
    late_by_group = (known[rows, after] - known[rows, 0]) / raised[:, None]
    late, now = late_by_group.sum(axis=1), np.maximum(whole[:, 0], 1.0)
    final = np.maximum(now[:past] + late, 1.0)
    age = (history.dates[-1] - history.dates).to_numpy() / np.timedelta64(1, "D")
    weight = np.exp(-_RATE * age[:past])
    expected = _expected(history.dates, final)
    weekday = history.dates.day_of_week.to_numpy()
    weekend = np.where(weekday == 6, 1.0, np.where(weekday == 5, 0.5, 0.0))
    features = np.column_stack([np.log(expected / now), weekend])
    usable = np.isfinite(features[:, 0])
    fitted, coming = _late_regression(
        np.maximum(late, 0)[usable[:past]], now[:past][usable[:past]],
        features[:past][usable[:past]], weight[usable[:past]], now[-1], features[-1],
    )  # fmt: skip
    # A forecast misses by the past's scatter and by its own estimate's: (n + p) / (n - p).
    n_effective = max(float(weight.sum()), 8.0)
    wider = (n_effective + 3) / (n_effective - 3)
    size = moment_size(late[usable[:past]][-60:], fitted[-60:], least=3) / wider
    # Groups: each one's own late share, drawn to the whole's.
    w = weight[:, None]
    base, coming_by = (w * known[rows, 0]).sum(axis=0), (w * late_by_group).sum(axis=0)
    overall = coming_by.sum() / max(base.sum(), 1e-9)
    held = 200.0 * weight.mean()
    rate = np.maximum(coming_by + held * overall, 0) / (np.maximum(base, 0) + held)
    usual = base / weight.sum()
    level = 0.5 * np.maximum(known[-1, 0], 0) + 0.5 * usual * now[-1] / max(usual.sum(), 1e-9)
    parts = np.maximum(rate * level, 1e-6)
    parts = parts * coming / parts.sum()
    before = 0.5 * np.maximum(known[rows, 0], 0) + 0.5 * usual * (
        now[:past, None] / max(usual.sum(), 1e-9))  # fmt: skip
    seen, fit = late_by_group[-60:], (before * rate)[-60:]
    part_size = np.full(groups, moment_size(seen.ravel(), fit.ravel(), least=1))
    for g in np.flatnonzero(fit.sum(axis=0) >= _LEAST_LATE):
        part_size[g] = moment_size(seen[:, g], fit[:, g], least=1)
    part_size = part_size / wider
    return coming, size, parts, part_size


def _expected(dates: pd.DatetimeIndex, final: FloatArray) -> FloatArray:
    """Return what each date's span should hold by season and level, from the dates before it."""
    day = (dates - dates[0]).to_numpy() / np.timedelta64(1, "D")
    angle = 2 * np.pi * day / 365.25
    h = np.column_stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
    log = np.log(final)
    out = np.full(len(dates), np.nan)
    past = day[: log.size]
    near = np.exp(-0.5 * ((past[:, None] - past[None, :]) / 140.0) ** 2)
    # The smooth trend of the first i dates, for every i at once: sums over ever more columns.
    trend = np.cumsum(near * log[None, :], axis=1) / np.cumsum(near, axis=1)
    for i in range(_LEAST_DATES, len(dates)):
        t = day[:i]
        off = log[:i] - trend[:i, i - 1]
        w = np.exp(-0.001 * (day[i] - t))
        x = h[:i]
        curve = (x * w[:, None]).T @ x + 2.0 * np.eye(4)
        season = np.linalg.solve(curve, x.T @ (w * off))
        w = np.exp(-_LEVEL_RATE * (day[i] - t))
        out[i] = np.exp((w * (log[:i] - x @ season)).sum() / w.sum() + h[i] @ season)
    return out


def _late_regression(
    late: FloatArray, now: FloatArray, x: FloatArray, weight: FloatArray,
    now_here: float, x_here: FloatArray,
) -> tuple[FloatArray, float]:  # fmt: skip
    """Regress late counts on features with offset log(now); return fits and the one asked for."""
    center = np.average(x, axis=0, weights=weight)
    a = np.column_stack([np.ones(len(x)), x - center])
    b = np.zeros(a.shape[1])
    b[0] = np.log(max((weight * late).sum(), 0.5) / (weight * now).sum())
    ridge = np.diag(np.r_[1e-6, np.full(x.shape[1], 0.3)])
    for _ in range(20):
        mean = now * np.exp(np.clip(a @ b, -12, 3))
        w = weight / (1 + 0.03 * mean)
        slope = a.T @ (w * (late - mean)) - ridge @ b
        b = b + np.linalg.solve((a * (w * mean)[:, None]).T @ a + ridge, slope)
    here = now_here * float(np.exp(np.clip(np.r_[1.0, x_here - center] @ b, -12, 3)))
    return now * np.exp(np.clip(a @ b, -12, 3)), here


def same_age(
    incidents: pd.DataFrame, as_of: pd.Timestamp, prior_as_of: pd.Timestamp, days: int = 28,
    by: Sequence[str] = (),
) -> pd.DataFrame:  # fmt: skip
    """Count a period and an earlier one, both as they stood at the same age: like for like.

    Parameters
    ----------
    incidents
        ``occurred_from, known_on, count`` and the columns of ``by``.
    as_of, prior_as_of
        The last day of either period, and the day its books are read: nothing known later counts
        for it. For a monthly feed take two days of the same standing (two month ends).
    days
        Length of both periods.

    Returns
    -------
    The columns of ``by``, ``current``, ``prior`` (as it stood then), ``prior_now`` (as it stands
    as of ``as_of``), and ``change``, missing where ``prior`` is not above zero.
    """
    if prior_as_of >= as_of:
        raise InvalidInput("The earlier period must end before the later one.")

    def count(end: pd.Timestamp, known: pd.Timestamp) -> "pd.Series[int]":
        rows = incidents[
            (incidents["occurred_from"] < end + DAY)
            & (incidents["occurred_from"] >= end - (days - 1) * DAY)
            & (incidents["known_on"] < known + DAY)
        ]
        if not by:
            return pd.Series([int(rows["count"].sum())])
        return rows.groupby(list(by))["count"].sum()

    out = pd.DataFrame(
        {"current": count(as_of, as_of), "prior": count(prior_as_of, prior_as_of),
         "prior_now": count(prior_as_of, as_of)}
    ).fillna(0).astype(np.int64)  # fmt: skip
    out["change"] = (out["current"] / out["prior"].where(out["prior"] > 0) - 1).astype(float)
    return out.reset_index() if by else out
