"""What a precinct's commander should watch, and know of the figures, in sentences."""

import datetime as dt

import pandas as pd

from beatbook.compstat.caveats import Share, late_coding, windows_left_empty
from beatbook.compstat.counts import comparable_precinct, counted_day
from beatbook.compstat.headlines import headlines
from beatbook.department import Department
from beatbook.offenses import PART_ONE

MOST_CHANGES = 5
"""More than these are only counted: they stand marked in the table below."""


def watch_list(
    table: pd.DataFrame,
    zones: pd.DataFrame,
    clusters: pd.DataFrame,
    department: Department,
    precinct: str,
    week_ending: dt.date,
    as_of: dt.date,
) -> list[str]:
    """Say what stands out in one precinct, and what will still rise.

    Parameters
    ----------
    table
        The ``compstat`` table of the book: its q values, over all tests of the book, decide.
    zones
        The near-repeat zones open in the precinct: ``offense, closes``.
    clusters
        The space-time clusters beyond chance in it: ``offense, observed, expected, days,
        radius_m, p, place``.
    department, precinct, week_ending, as_of
        Of the packet.

    Returns
    -------
    list of str
        Changes beyond noise (a small base is none), zones, clusters, and how late records are.
        What is not there is said too, so that silence is never taken for all clear.
    """
    label = department.areas.precinct.label
    mine = table[(table["geography_type"] == "precinct") & (table["geography"] == precinct)]
    changes = headlines(mine, label)
    lines = changes[:MOST_CHANGES]
    more = len(changes) - MOST_CHANGES
    if more > 0:
        others = "one more change" if more == 1 else f"{more:,} more changes"
        lines.append(f"And {others}, marked in the table below.")
    if not changes:
        lines.append(
            f"No change in {label} {precinct} is larger than chance alone would often bring."
        )
    if len(zones):
        counts = zones["offense"].value_counts(sort=False)
        named = ", ".join(f"{offense} {number:,}" for offense, number in counts.items())
        zone = "zone of raised risk is" if len(zones) == 1 else "zones of raised risk are"
        lines.append(
            f"Near repeats: {len(zones):,} {zone} open at the end of the week ({named}); the last "
            f"closes on {zones['closes'].max():%Y-%m-%d}."
        )
    else:
        lines.append("Near repeats: no zone of raised risk is open at the end of the week.")
    lines += [_cluster(row, department.small_cell_limit) for row in clusters.to_dict("records")]
    if clusters.empty:
        lines.append("No space-time cluster beyond chance (p up to 0.05) reaches into it.")
    late = department.book.late_coding
    behind = (as_of - week_ending).days // 7
    if late is not None and behind < len(late.weeks):
        share = 100 * late.weeks[max(behind, 0)]
        lines.append(
            f"Still likely to rise: the week holds on average {share:.0f} % of its eventual Part I "
            "count, so a fall is partly lag."
        )
    return lines


def _cluster(row: dict, small_cell_limit: int) -> str:
    few = row["observed"] < small_cell_limit
    observed = f"fewer than {small_cell_limit}" if few else f"{row['observed']:,}"
    place = f" around {row['place']}" if row["place"] else ""
    return (
        f"Cluster: {observed} {row['offense']} in {row['days']} days within "
        f"{row['radius_m']:,.0f} m{place}, {row['expected']:.1f} expected (p {row['p']:.3f})."
    )


def precinct_caveats(
    incidents: pd.DataFrame,
    table: pd.DataFrame,
    department: Department,
    precinct: str,
    week_ending: dt.date,
    as_of: dt.date,
) -> list[str]:
    """Say what a packet's figures leave out and how they will still move.

    Parameters
    ----------
    incidents
        Those known by ``as_of``, of the whole city: ``occurred_from, reported_at, known_on,
        offense, precinct, precinct_disagrees, location_quality``.
    table
        The ``compstat`` table of the book.
    department, precinct, week_ending, as_of
        Of the packet.

    Returns
    -------
    list of str
        Whole sentences, each with its figure.
    """
    label = department.areas.precinct.label
    day = counted_day(incidents, department)
    start = pd.Timestamp(week_ending) - pd.Timedelta(days=6)
    week = incidents[(day >= start) & (day <= pd.Timestamp(week_ending))]
    week = week[week["offense"].isin(PART_ONE)]
    mine = week[comparable_precinct(week, department, week_ending) == precinct]
    lines = [*late_coding(department, week_ending, as_of)]
    without = int((~mine["location_quality"].isin(["exact", "block"])).sum())
    lines.append(
        f"Location: {Share(without, len(mine))} Part I records of the week in {label} {precinct} "
        "have no point that a map may use. They are in every count. Sex offenses never carry one."
    )
    unknown = int(week["precinct"].isna().sum())
    if unknown:
        lines.append(
            f"{Share(unknown, len(week))} Part I records of the city's week carry no "
            f"{label.lower()} and are in no packet; some may be this one's."
        )
    disagree = int(mine["precinct_disagrees"].sum())
    if disagree:
        lines.append(
            f"{Share(disagree, len(mine))} Part I records of the week name {label} {precinct} and "
            f"lie in another {label.lower()} on the map; they count where the record says."
        )
    city = table["geography_type"] == "city"
    own = (table["geography_type"] == "precinct") & (table["geography"] == precinct)
    lines += windows_left_empty(table[city | own], department)
    lines.append(
        f"Changes are tested among all of the book's, and a {label.lower()}'s counts are small: a "
        "change without a mark cannot be told from chance, which does not say that nothing changed."
    )
    return lines
