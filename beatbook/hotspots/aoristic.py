"""Aoristic time: spread an incident known only as from-to evenly over the hours it spans."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.times import local_timestamps

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800
# 1970-01-05 was a Monday: weeks are counted from it.
_MONDAY = 4 * _DAY
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class _Spans(NamedTuple):
    start: IntArray
    length: IntArray
    usable: npt.NDArray[np.bool_]
    without_end: npt.NDArray[np.bool_]


def aoristic_weights(start: Any, end: Any = None) -> pd.DataFrame:
    """Share each incident out over the 168 hours of the week.

    Parameters
    ----------
    start, end : local timestamps (or text that reads as such), one an incident. A missing end, or
        no ``end`` at all, means the start is the known time.

    Returns
    -------
    A row an incident and hour it may have happened in: ``event`` (row number from 0), ``hour_bin``
    (0 to 167, Monday 00 first), ``weekday`` (0 Monday), ``hour`` and ``weight``; the weights of an
    incident sum to 1. Every second of the span is as likely as another. Hours that a span meets
    twice (over a week less an hour) are one row. A span of a week or more says nothing and gives
    each hour 1/168. A span of no length puts 1 into its hour.
    ``attrs``: ``events``, ``without_end``, ``without_start`` and ``end_before_start``; the last two
    get no rows, so print them.

    Notes
    -----
    Hours are of the local clock: a span over a daylight-saving change is off by that hour. Even
    odds over the span are an assumption: burglars prefer part of it.

    Source: Ratcliffe and McCullagh (1998), Aoristic crime analysis, International Journal of
    Geographical Information Science 12.
    """
    spans = _read(start, end)
    event, bins, weight = _hour_shares(spans)
    out = pd.DataFrame(
        {
            "event": event,
            "hour_bin": bins,
            "weekday": bins // 24,
            "hour": bins % 24,
            "weight": weight,
        }
    )
    out.attrs.update(_left_out(spans, start, end))
    return out


def aoristic_week(start: Any, end: Any = None, weights: Any = None) -> pd.DataFrame:
    """Sum `aoristic_weights` to a table of hours (rows 0 to 23) by weekday (Mon to Sun).

    ``weights``: one an incident (+1, -1 for a cancelled one). ``attrs`` as there. The sum of the
    table is the sum of the usable incidents' weights.
    """
    spans = _read(start, end)
    event, bins, share = _hour_shares(spans)
    if weights is not None:
        factor = np.asarray(weights, dtype=np.float64)
        if factor.shape != spans.start.shape or not np.all(np.isfinite(factor)):
            raise InvalidInput("weights must be one finite number an incident.")
        share = share * factor[event]
    total = np.bincount(bins, weights=share, minlength=168).reshape(7, 24).T
    out = pd.DataFrame(total, index=pd.RangeIndex(24, name="hour"), columns=list(WEEKDAYS))
    out.attrs.update(_left_out(spans, start, end))
    return out


def shift_weights(start: Any, end: Any, shift_start: str, shift_end: str) -> FloatArray:
    """Return the share of each incident's span that falls in a daily shift.

    Parameters
    ----------
    start, end : local timestamps, one an incident; a missing end means the start is the time.
    shift_start, shift_end : clock times such as ``"12:00"`` and ``"16:00"``. The shift includes
        its start and not its end, and may run over midnight; equal times are the whole day.

    Returns
    -------
    One share an incident, 0 to 1: 1 or 0 for an exactly known time, 0 for an incident without a
    start or with its end before its start (see `aoristic_weights` for their number). The shares
    of shifts that make up the day sum to 1.
    """
    begin, finish = _clock(shift_start), _clock(shift_end)
    length = (finish - begin) % _DAY or _DAY
    spans = _read(start, end)
    u = spans.start - begin
    exact = spans.length == 0
    inside = (u % _DAY) < length

    def served(t: IntArray) -> IntArray:
        return (t // _DAY) * length + np.minimum(t % _DAY, length)

    overlap = served(u + spans.length) - served(u)
    share = np.where(exact, inside, overlap / np.maximum(spans.length, 1))
    return np.where(spans.usable, share, 0.0)


def _hour_shares(spans: _Spans) -> tuple[IntArray, IntArray, FloatArray]:
    rows = np.flatnonzero(spans.usable)
    start, length = spans.start[rows], np.minimum(spans.length[rows], _WEEK)
    # A week or more holds every hour alike; starting it on the hour gives 168 equal bins.
    start = np.where(length == _WEEK, start // _HOUR * _HOUR, start)
    first = start // _HOUR
    last = np.where(length > 0, (start + length - 1) // _HOUR, first)
    count = last - first + 1
    which = np.repeat(np.arange(rows.size), count)
    step = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    hour = first[which] + step
    low = np.maximum(hour * _HOUR, start[which])
    high = np.minimum((hour + 1) * _HOUR, (start + length)[which])
    share = np.where(length[which] > 0, (high - low) / np.maximum(length[which], 1), 1.0)
    bins = (hour - _MONDAY // _HOUR) % 168
    # Only spans within an hour of a full week can meet one hour of the week twice.
    twice = count[which] > 168
    repeat = twice & (step == 168)
    if repeat.any():
        share[np.flatnonzero(repeat) - 168] += share[repeat]
        which, bins, share = which[~repeat], bins[~repeat], share[~repeat]
    return rows[which], bins, share


def _read(start: Any, end: Any) -> _Spans:
    begin = local_timestamps(start)
    if end is None:
        finish = pd.Series(pd.NaT, index=begin.index, dtype="datetime64[us]")
    else:
        finish = local_timestamps(end)
    if len(begin) != len(finish):
        raise InvalidInput(f"{len(begin)} starts but {len(finish)} ends; each incident needs both.")
    known, ended = begin.notna().to_numpy(), finish.notna().to_numpy()
    s = _seconds(begin, known)
    e = np.where(ended, _seconds(finish, ended), s)
    return _Spans(s, e - s, known & (e >= s), known & ~ended)


def _seconds(stamps: pd.Series, known: npt.NDArray[np.bool_]) -> IntArray:
    out = np.zeros(len(stamps), dtype=np.int64)
    out[known] = stamps.to_numpy()[known].astype("datetime64[s]").astype(np.int64)
    return out


def _left_out(spans: _Spans, start: Any, end: Any) -> dict[str, int]:
    known = local_timestamps(start).notna().to_numpy()
    return {
        "events": int(known.size),
        "without_end": int(spans.without_end.sum()),
        "without_start": int((~known).sum()),
        "end_before_start": int((known & ~spans.usable).sum()),
    }


def _clock(text: str) -> int:
    parts = str(text).split(":")
    if len(parts) in (2, 3) and all(p.isdigit() for p in parts):
        h, m, s = (*map(int, parts), 0)[:3]
        if h <= 24 and m < 60 and s < 60 and h * _HOUR + m * 60 + s <= _DAY:
            return (h * _HOUR + m * 60 + s) % _DAY
    raise InvalidInput(f'A shift time is written like "07:00" or "15:30"; got {text!r}.')
