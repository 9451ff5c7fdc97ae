"""When an offense happens: hour by weekday, from spans where the department publishes them."""

from typing import NamedTuple

import pandas as pd

from beatbook.hotspots.aoristic import aoristic_week
from beatbook.hotspots.weekly import of_offense


class Hours(NamedTuple):
    """A table of hours by weekday, and what it rests on.

    ``week`` has rows 0 to 23 and columns Mon to Sun, in incidents; ``ranged`` is the number of
    incidents known as a span with an end; ``left_out`` those whose times cannot be used.
    """

    week: pd.DataFrame
    incidents: int
    ranged: int
    left_out: int


def offense_hours(incidents: pd.DataFrame, offense: str) -> Hours:
    """Share an offense's incidents over the hours of the week.

    Parameters
    ----------
    incidents
        Columns ``offense, count, occurred_from, occurred_to`` (local times), already limited to
        the days wanted.
    offense
        A CompStat row, or Total Part I (without sex offenses).

    Returns
    -------
    Hours
        An incident with a start and an end is spread evenly over the hours between
        (:func:`beatbook.hotspots.aoristic_week`); one without an end counts in the hour it started.
        A start typed as midnight or noon because the hour was not known counts there all the
        same, so peaks at 0 and 12 are partly habit.
    """
    chosen = of_offense(incidents, offense)
    week = aoristic_week(
        chosen["occurred_from"], chosen["occurred_to"], weights=chosen["count"].to_numpy()
    )
    ends_later = chosen["occurred_to"] > chosen["occurred_from"]
    reversed_span = chosen["occurred_to"] < chosen["occurred_from"]
    return Hours(week, len(chosen), int(ends_later.sum()), int(reversed_span.sum()))
