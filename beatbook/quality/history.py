"""Each rule over the runs: the points of its plot, its sparkline, how the last run compares."""

from typing import Any, NamedTuple

import pandas as pd

from beatbook.book.formatting import counted

RUNS_SHOWN = 60
"""Runs of a rule that are drawn: a year of weekly runs, two months of daily ones."""

_WIDTH, _HEIGHT, _MARGIN = 104.0, 26.0, 4.0


class RuleHistory(NamedTuple):
    """One rule over the runs, oldest first, the last :data:`RUNS_SHOWN` of them.

    Attributes
    ----------
    points
        One a run: ``[checked_at, checked, failing, passed]``.
    runs
        How many runs there are in all.
    """

    points: list[list[Any]]
    runs: int

    @property
    def failing(self) -> list[int]:
        """How many records failed, run by run."""
        return [int(point[2]) for point in self.points]

    def compared(self) -> str:
        """Say how the last run compares with the ones before it."""
        if len(self.points) < 2:
            return "first run"
        *earlier, last = self.failing
        step = last - earlier[-1]
        if not step:
            words = "as in the run before"
        else:
            words = f"{abs(step):,d} {'more' if step > 0 else 'fewer'} than in the run before"
        if last > max(earlier) and len(earlier) > 1:
            words += f"; the most in {counted(len(self.points), 'run')}"
        return words

    def spoken(self) -> str:
        """Say the sparkline in words."""
        last = [f"{number:,d}" for number in self.failing[-8:]]
        which = "the only run" if self.runs == 1 else f"the last {counted(len(last), 'run')}"
        return f"Failing in {which}, oldest first: {', '.join(last)}"

    def sparkline(self) -> str:
        """Draw the failing records as a line, as SVG text; failed runs bear a filled mark."""
        top = max(1, *self.failing)
        step = (_WIDTH - 2 * _MARGIN) / max(1, len(self.points) - 1)
        places = [
            (_MARGIN + i * step, _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * number / top)
            for i, number in enumerate(self.failing)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        x, y = places[-1]
        mark = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" class="bq-met"/>'
            if self.points[-1][3]
            else f'<path d="M{x:.1f} {y - 3.4:.1f}l3.4 6h-6.8z" class="bq-failed"/>'
        )
        return (
            f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" width="{_WIDTH:g}" height="{_HEIGHT:g}" '
            f'aria-hidden="true" focusable="false"><polyline points="{line}"/>{mark}</svg>'
        )


def rule_histories(results: pd.DataFrame) -> dict[tuple[str, str], RuleHistory]:
    """Gather each rule's results over the runs.

    Parameters
    ----------
    results
        ``quality_results``: ``table``, ``check``, ``checked_at`` (ISO 8601 in UTC), ``checked``,
        ``failing``, ``passed``.

    Returns
    -------
    dict
        Table and rule to its history.
    """
    ordered = results.sort_values(["checked_at", "run_id"])
    histories = {}
    for (table, check), rows in ordered.groupby(["table", "check"], sort=False):
        kept = rows.tail(RUNS_SHOWN)
        points = [
            [str(at), int(checked), int(failing), bool(passed)]
            for at, checked, failing, passed in zip(
                kept["checked_at"], kept["checked"], kept["failing"], kept["passed"], strict=True
            )
        ]
        histories[(str(table), str(check))] = RuleHistory(points, len(rows))
    return histories


def rules_by_run(results: pd.DataFrame) -> list[list[Any]]:
    """Count of each run the rules that were run and that failed, oldest run first.

    Returns
    -------
    list
        ``[checked_at, rules, failed, passed]`` of the last :data:`RUNS_SHOWN` runs;
        ``checked_at`` is when the run's last rule was checked, ``passed`` whether no critical
        rule failed in it.
    """
    failed = ~results["passed"].astype(bool)
    runs = (
        results.assign(failed=failed, holds=failed & (results["severity"] == "critical"))
        .groupby("run_id")
        .agg(
            at=("checked_at", "max"),
            rules=("check", "size"),
            failed=("failed", "sum"),
            holds=("holds", "any"),
        )
        .sort_values("at")
        .tail(RUNS_SHOWN)
    )
    return [
        [str(at), int(rules), int(failed), not bool(holds)]
        for at, rules, failed, holds in runs.itertuples(index=False)
    ]
