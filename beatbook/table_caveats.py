"""What an analyst must mind in each table, in sentences made from the table and the settings."""

from collections.abc import Callable

import pandas as pd

from beatbook.compstat.caveats import Share
from beatbook.department import Department
from beatbook.errors import MissingTable
from beatbook.store import Store

Caveats = Callable[[pd.DataFrame, Department, Store], list[str]]


def table_caveats(
    table: str, frame: pd.DataFrame, department: Department, store: Store
) -> list[str]:
    """Say what to mind in a published table.

    Parameters
    ----------
    table
        Its name. A table without caveats of its own gets the general ones.
    frame
        The table as published.
    department
        Its settings: redistrictings, late coding, the small-cell limit.
    store
        Where the other tables of the department are published.

    Returns
    -------
    list of str
        Whole sentences, those about this table first.
    """
    lines = _OWN[table](frame, department, store) if table in _OWN else []
    if "share_left_out" in frame and len(frame):
        least, most = frame["share_left_out"].min(), frame["share_left_out"].max()
        lines.append(
            f"Between {least:.1%} and {most:.1%} of an offense's incidents have no usable point "
            "and are in no layer; they are in every count."
        )
    if table in _WITH_PLACES:
        lines.append(
            "Sex offenses have no layer, and small counts stand in it: it is for the analyst. What "
            f"goes outside is `beatbook export`, which hides counts under "
            f"{department.small_cell_limit}."
        )
    return lines


_WITH_PLACES = ("hotspots", "near_repeat_zones", "space_time_clusters")


def _incidents(frame: pd.DataFrame, department: Department, store: Store) -> list[str]:
    total = len(frame)
    lines = []
    canceled = int((frame["count"] < 0).sum())
    if canceled:
        lines.append(
            f"Crime is the sum of `count`, not the number of rows: {Share(canceled, total)} rows "
            "cancel an earlier one (-1)."
        )
    no_point = int((~frame["location_quality"].isin(["exact", "block"])).sum())
    lines.append(
        f"{Share(no_point, total)} records have no point that a map may use (see "
        "`location_quality`); count them, and say beside a map what it leaves out. Places of sex "
        "offenses are withheld: no point, no block, whatever the feed holds."
    )
    known = frame["known_on"].min()
    before = int((frame["occurred_from"] < known.normalize().replace(day=1)).sum()) if total else 0
    if before:
        lines.append(
            f"The feed starts with what was known in {known:%B %Y}. {Share(before, total)} records "
            "happened before; those days are far from complete."
        )
    late = department.book.late_coding
    if late is not None:
        shares = ", ".join(f"{share:.0%}" for share in late.weeks)
        lines.append(
            f"Records come late: as of a month's end the newest weeks hold {shares} of what will "
            "be coded in the end (newest first). Compare like with like by `known_on`."
        )
    else:
        lines.append(
            "Records may come late: a recent fall can be coding that is still to come. Compare "
            "like with like by `known_on`."
        )
    label = department.areas.precinct.label.lower()
    for day in department.redistricted_on:
        lines.append(
            f"Another division into {label}s holds for records known from {day} on: the same "
            f"number before and after is not the same {label}."
        )
    unknown = int(frame["precinct"].isna().sum())
    if unknown:
        lines.append(f"{Share(unknown, total)} records carry no {label}.")
    midnight = frame["occurred_from"].dt.hour.eq(0) & frame["occurred_from"].dt.minute.eq(0)
    if midnight.mean() > 0.02:
        lines.append(
            f"{midnight.mean():.1%} of the records start at exactly midnight, where an even spread "
            "over the minutes would put 0.1%: often a time that nobody knew."
        )
    try:
        refused = store.find("rejected_incidents").path
    except MissingTable:
        return lines
    rows = len(pd.read_parquet(refused, columns=["reason"]))
    lines.append(f"{rows:,} rows of the feed were refused; see `rejected_incidents`.")
    return lines


def _compstat(_frame: pd.DataFrame, _department: Department, _store: Store) -> list[str]:
    return [
        "A count is missing, not 0, where the feed does not cover the window or another division "
        "into precincts held; `note` says which.",
        "`percent_change` says little on a small base; go by `q_value`, which holds the false "
        "discoveries over all tests of the book.",
        "Totals and their parts are both rows: do not add them up.",
    ]


def _weekly_counts(_frame: pd.DataFrame, department: Department, _store: Store) -> list[str]:
    label = department.areas.precinct.label.lower()
    lines = [
        "Weeks that the feed does not cover whole are absent; a week with nothing is a row with 0.",
        "The newest weeks are still to rise: records come late.",
    ]
    if department.redistricted_on:
        days = ", ".join(map(str, department.redistricted_on))
        lines.append(
            f"Each {label} carries the code of its time: across {days} the same number is another "
            "place."
        )
    return lines


def _repeat_places(_frame: pd.DataFrame, department: Department, _store: Store) -> list[str]:
    return [
        f"Blocks with fewer than {department.small_cell_limit} are left out, so the shares listed "
        "do not reach 1.",
        "A long or busy block has more of everything: the ranking is no rate.",
    ]


def _rejected(_frame: pd.DataFrame, _department: Department, _store: Store) -> list[str]:
    return ["Values stand as the feed published them, errors included. It is for the steward."]


_OWN: dict[str, Caveats] = {
    "incidents": _incidents,
    "compstat": _compstat,
    "weekly_counts": _weekly_counts,
    "repeat_places": _repeat_places,
    "rejected_incidents": _rejected,
}
