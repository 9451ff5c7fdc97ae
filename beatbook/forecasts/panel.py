"""Weekly series side by side: the long table checked, gaps and odd series named and mended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]

WEEK = pd.Timedelta(days=7)
LEAST_WEEKS = 8
"""A series with fewer weeks than this gets the mean of what it has: no model can be told apart."""


def offense_of(unique_id: str) -> str:
    """Return the part of a series' name after its first slash: ``"3/Robbery"`` is a robbery."""
    return unique_id.split("/", 1)[1] if "/" in unique_id else unique_id


@dataclass(frozen=True)
class Panel:
    """Series as columns of one array, weeks as rows; made by `make_panel`.

    ``y`` has no missing value; ``seen`` marks the numbers that were given, not filled. ``group``
    numbers the series that share a seasonal shape. ``state`` is one of ``ok``, ``short``,
    ``zeros``, ``stale`` for each series, ``notes`` says in words what was done to it.
    """

    ids: tuple[str, ...]
    weeks: pd.DatetimeIndex
    y: FloatArray
    seen: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]
    state: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def cutoff(self) -> pd.Timestamp:
        """The last week that the forecasts may use."""
        return self.weeks[-1]

    def ahead(self, horizon: int) -> pd.DatetimeIndex:
        """Return the ``horizon`` weeks after the cutoff."""
        return pd.DatetimeIndex([self.cutoff + WEEK * (i + 1) for i in range(horizon)])

    def take(self, columns: Sequence[int]) -> "Panel":
        """Return the panel with these series only."""
        c = list(columns)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in c),
            y=self.y[:, c],
            seen=self.seen[:, c],
            group=np.unique(self.group[c], return_inverse=True)[1].astype(np.int64),
            state=tuple(self.state[i] for i in c),
            notes=tuple(self.notes[i] for i in c),
        )


@dataclass(frozen=True)
class Shock:
    """A known break in a series, with the reason that is printed beside its forecast.

    ``kind`` is ``"ignore"`` (weeks from ``start`` to ``end`` are filled as if they were missing:
    a storm, a feed that stopped) or ``"level_shift"`` (what came before ``start`` is scaled to
    the level after it: a new recording rule). ``series`` is a series' name, an offense, or
    ``"*"`` for all.
    """

    series: str
    start: pd.Timestamp
    reason: str
    kind: str = "ignore"
    end: pd.Timestamp | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("ignore", "level_shift"):
            raise InvalidInput(f'A shock is "ignore" or "level_shift"; got {self.kind!r}.')
        if not self.reason.strip():
            raise InvalidInput(f"The shock of {self.series} needs a reason; it is printed.")
        if self.kind == "ignore" and (self.end is None or self.end < self.start):
            raise InvalidInput(f"The shock of {self.series} needs an end after its start.")


def make_panel(
    series: pd.DataFrame,
    *,
    until: pd.Timestamp | None = None,
    shocks: Sequence[Shock] = (),
    stale_weeks: int = 8,
    pool_by: Callable[[str], str] = offense_of,
) -> Panel:
    """Lay weekly series side by side, mend gaps and name the series no model should be asked for.

    Parameters
    ----------
    series
        Columns ``unique_id``, ``ds`` (first day of the week), ``y`` (net count; missing is a week
        not covered). One row a series and week, all weeks starting on one weekday.
    until
        Last week that may be used (its first day); later rows are dropped before anything else,
        so they cannot reach a forecast. Without it, the last week of any series.
    shocks
        Known breaks.
    stale_weeks
        A series whose last week lies more than this many weeks before the others' last is
        ``stale``: 8 by default, two monthly files.
    pool_by
        Name of the group whose series share a seasonal shape; the offense by default.

    Returns
    -------
    Panel
        A week missing inside a series (or a shock to ignore) holds the mean of up to four given
        weeks on either side. Weeks before a series begins hold its first year's mean and are not
        ``seen``. Negative net counts stay: they are true sums. Every repair is in ``notes``.

    Raises
    ------
    InvalidInput
        For a missing column, a series given twice for a week, weeks that start on different
        weekdays, values that are no numbers, or no rows at all.
    """
    lacking = [c for c in ("unique_id", "ds", "y") if c not in series.columns]
    if lacking:
        raise InvalidInput(f"The series table lacks {', '.join(lacking)}; it has unique_id, ds, y.")
    frame = series.loc[:, ["unique_id", "ds", "y"]].copy()
    try:
        frame["ds"] = pd.to_datetime(frame["ds"])
        frame["y"] = pd.to_numeric(frame["y"]).astype(float)
    except (TypeError, ValueError) as error:
        raise InvalidInput("ds must hold dates and y numbers in the series table.") from error
    if until is not None:
        frame = frame[frame["ds"] <= until]
    if frame.empty or frame["unique_id"].isna().any() or frame["ds"].isna().any():
        where = f" up to {until.date()}" if until is not None else ""
        raise InvalidInput(f"The series table has no rows{where}, or rows without name or week.")
    if np.isinf(frame["y"]).any():
        raise InvalidInput("A series holds an infinite count.")
    if frame.duplicated(["unique_id", "ds"]).any():
        twice = frame[frame.duplicated(["unique_id", "ds"])].iloc[0]
        raise InvalidInput(
            f"{twice['unique_id']} has two rows for {twice['ds'].date()}; give each week once."
        )
    first, last = frame["ds"].min(), until if until is not None else frame["ds"].max()
    if ((frame["ds"] - first) % WEEK != pd.Timedelta(0)).any() or (last - first) % WEEK:
        raise InvalidInput("Weeks must all start on one weekday; some do not (or the cutoff).")
    weeks = pd.date_range(first, last, freq="7D")
    wide = frame.pivot(index="ds", columns="unique_id", values="y").reindex(weeks)
    ids = tuple(str(i) for i in wide.columns)
    groups = [pool_by(i) for i in ids]
    y = wide.to_numpy(dtype=float, copy=True)
    y, shocked = _apply_shocks(y, ids, groups, weeks, shocks)
    seen = np.isfinite(y)
    states, notes = [], []
    for j in range(len(ids)):
        y[:, j], state, note = _mend(y[:, j], stale_weeks)
        states.append(state)
        notes.append(" ".join(n for n in (*shocked[j], note) if n))
    number = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    return Panel(ids, weeks, y, seen, number, tuple(states), tuple(notes))


def _mend(column: FloatArray, stale_weeks: int) -> tuple[FloatArray, str, str]:
    given = np.flatnonzero(np.isfinite(column))
    if given.size == 0:
        return np.zeros_like(column), "short", "No week with a count."
    start, end, notes = given[0], given[-1], []
    out = column.copy()
    gaps = start + np.flatnonzero(np.isnan(column[start : end + 1]))
    for i in gaps:
        near = np.concatenate([given[given < i][-4:], given[given > i][:4]])
        out[i] = column[near].mean()
    if gaps.size:
        notes.append(f"{gaps.size} missing week(s) filled with the mean of the weeks around.")
    if (column[given] < 0).any():
        notes.append("Net counts below zero kept as they are.")
    out[:start] = column[given[:52]].mean()
    out[end + 1 :] = column[given[-52:]].mean()
    behind = column.size - 1 - end
    if given.size < LEAST_WEEKS:
        return out, "short", f"Only {given.size} week(s): the mean of those."
    if behind > stale_weeks:
        notes.append(f"No counts in the last {behind} weeks: the mean of its last year.")
        return out, "stale", " ".join(notes)
    if behind:
        notes.append(f"The last {behind} week(s) are missing and filled with its last year's mean.")
    if not column[given].any():
        notes.append("No offense in any week: half an offense over all its weeks.")
        return out, "zeros", " ".join(notes)
    return out, "ok", " ".join(notes)


def _apply_shocks(
    y: FloatArray,
    ids: Sequence[str],
    groups: Sequence[str],
    weeks: pd.DatetimeIndex,
    shocks: Sequence[Shock],
) -> tuple[FloatArray, list[list[str]]]:
    said: list[list[str]] = [[] for _ in ids]
    for shock in shocks:
        for j, name in enumerate(ids):
            if shock.series not in ("*", name, groups[j]):
                continue
            if shock.kind == "ignore":
                hit = (weeks + WEEK > shock.start) & (weeks <= (shock.end or weeks[-1]))
                if hit.any():
                    y[hit, j] = np.nan
                    said[j].append(f"{int(hit.sum())} week(s) not used: {shock.reason}.")
                continue
            after = np.asarray(weeks >= shock.start)
            now, before = y[after, j], y[~after, j][-52:]
            now = now[np.isfinite(now)]
            # Eight weeks, so that a shift is not read from noise; until then nothing is scaled.
            if now.size >= LEAST_WEEKS and np.nansum(before) > 0 and now.sum() > 0:
                ratio = float(now[:52].mean() / np.nanmean(before))
                y[~after, j] *= ratio
                said[j].append(
                    f"Weeks before {shock.start.date()} scaled by {ratio:.2f}: {shock.reason}."
                )
    return y, said
