"""Points that hold what did not happen there: a station, a center, a geocoder's last resort.

A busy place also holds many crimes of many kinds, and taking it off the hotspot map would hide
the very thing the map is for. So a point is called a pile-up only if its records say themselves
that they belong elsewhere: by their streets, or, where no address is published, by standing out
from every other point of the city by more than any true place does.
"""

import duckdb
import numpy as np
import pandas as pd

AT_LEAST = 20
"""Records that a point must hold before it is looked at."""
UNRELATED = 4.0
"""Effective number of different offenses (the exponential of Shannon's entropy)."""
TIMES_NEIGHBORS = 5.0
"""Records beyond the point's commonest offense, against the median of the points around it."""
STRANGERS = 10
STRANGER_SHARE = 0.25
"""Records on none of the point's three commonest streets: an intersection and a ramp hold three."""
CITY_SHARE = 0.01
TIMES_BUSIEST = 3.0
"""Without addresses: share of the city's records, and times the next busiest points."""
RADIUS = 500.0
NEIGHBORS = 20


def point_statistics(connection: duckdb.DuckDBPyConnection, relation: str) -> pd.DataFrame:
    """What each point holds, from its records.

    Parameters
    ----------
    connection
        DuckDB.
    relation
        A table or view with the columns ``x, y`` (one unit for both; not missing), ``offense``
        (the CompStat row; leave sex offenses out) and ``address`` (text, or missing).

    Returns
    -------
    DataFrame
        One row a point: ``x, y, records, unrelated`` (records beyond its commonest offense),
        ``offenses`` (effective number), ``addressed`` (records with an address), ``strangers``
        (of those, the ones on none of the point's three commonest streets). The last two are
        worked out for points with at least 20 records, and are 0 elsewhere. A street is known by
        its name without number, side and ending, by the first six letters: long names are often
        cut off.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE point_offenses AS
        SELECT x, y, offense, count(*) AS n FROM {relation} GROUP BY ALL
        """
    )
    connection.execute(
        rf"""
        CREATE OR REPLACE TEMP TABLE point_addresses AS
        SELECT x, y, address, count(*) AS n FROM {relation}
        SEMI JOIN (SELECT x, y FROM point_offenses GROUP BY ALL HAVING sum(n) >= {AT_LEAST})
            USING (x, y)
        WHERE address IS NOT NULL GROUP BY ALL
        """
    )
    connection.execute(
        r"""
        CREATE OR REPLACE TEMP TABLE address_streets AS
        WITH parts AS (
            SELECT address,
                unnest(regexp_split_to_array(upper(address), '\s*[/&@]\s*|\s+AND\s+')) AS part
            FROM (SELECT DISTINCT address FROM point_addresses)
        )
        SELECT DISTINCT address, left(regexp_replace(regexp_replace(trim(part),
            '^[\d\s#-]*(BLOCK OF|BLK OF|BLOCK|BLK)?\s*', ''),
            '^(N|S|E|W|NORTH|SOUTH|EAST|WEST)\.?\s+', ''), 6) AS street
        FROM parts WHERE length(trim(part)) > 0
        """
    )
    return connection.sql(
        """
        WITH streets AS (
            SELECT x, y, street, sum(n) AS n FROM point_addresses JOIN address_streets
            USING (address) WHERE length(street) > 0 GROUP BY ALL
        ), common AS (
            SELECT x, y, street FROM streets
            QUALIFY row_number() OVER (PARTITION BY x, y ORDER BY n DESC, street) <= 3
        ), at_home AS (
            SELECT DISTINCT x, y, address FROM common JOIN address_streets USING (street)
        ), placed AS (
            SELECT x, y, sum(n) AS addressed,
                sum(n) FILTER (at_home.address IS NULL) AS strangers
            FROM point_addresses LEFT JOIN at_home USING (x, y, address) GROUP BY ALL
        ), held AS (
            SELECT x, y, sum(n) AS records, sum(n) - max(n) AS unrelated,
                exp(ln(sum(n)) - sum(n * ln(n)) / sum(n)) AS offenses
            FROM point_offenses GROUP BY ALL
        )
        SELECT x, y, records::BIGINT AS records, unrelated::BIGINT AS unrelated, offenses,
            coalesce(addressed, 0)::BIGINT AS addressed, coalesce(strangers, 0)::BIGINT AS strangers
        FROM held LEFT JOIN placed USING (x, y) ORDER BY x, y
        """
    ).df()


def pile_ups(points: pd.DataFrame, unit_m: float = 1.0) -> pd.DataFrame:
    """Say which points are pile-ups.

    Parameters
    ----------
    points
        ``x, y, records, unrelated, offenses, addressed, strangers``, one row a point, as
        :func:`point_statistics` gives them: all points, for the busy ones are held against the
        others.
    unit_m
        Meters in one unit of ``x`` and ``y``.

    Returns
    -------
    DataFrame
        The points with at least 20 records, with ``around`` (median of ``unrelated`` over the 20
        nearest points within 500 m; 0 if there are none), ``times_around`` and ``pile_up``.

    Notes
    -----
    A pile-up holds at least 20 records of at least four equally common offenses (effective
    number), five times as many beyond its commonest offense as the points around it, and

    - where at least half of its records have an address: at least ten of them, and a quarter, name
      none of the point's three commonest streets;
    - where not: at least one in a hundred of the city's records, and three times as many as the
      tenth busiest point.

    Chosen on two cities. In St. Louis (107,675 points) the first condition finds three points, all
    of them of police buildings; malls, hospitals and crossings with up to 1,600 records have a
    share of strangers below 0.15. In Washington it finds none.
    """
    busy = points[points["records"] >= AT_LEAST].copy()
    around = np.zeros(len(busy))
    if len(busy):
        from scipy.spatial import cKDTree

        tree = cKDTree(points[["x", "y"]].to_numpy(float))
        distance, place = tree.query(
            busy[["x", "y"]].to_numpy(float), k=NEIGHBORS + 1, distance_upper_bound=RADIUS / unit_m
        )
        # The nearest is the point itself; beyond the radius the place is one past the end.
        held = np.append(points["unrelated"].to_numpy(float), np.nan)[place[:, 1:]]
        near = np.isfinite(distance[:, 1:])
        # The median: one busy neighbor must not excuse a pile-up beside it.
        held = np.where(near, held, np.nan)
        held[~near.any(axis=1)] = 0.0
        around = np.nanmedian(held, axis=1)
    busy["around"] = around
    busy["times_around"] = busy["unrelated"] / np.maximum(busy["around"], 1.0)
    mixed = (busy["offenses"] >= UNRELATED) & (busy["times_around"] >= TIMES_NEIGHBORS)
    told = busy["addressed"] >= 0.5 * busy["records"]
    elsewhere = (busy["strangers"] >= STRANGERS) & (
        busy["strangers"] >= STRANGER_SHARE * busy["addressed"]
    )
    ordered = points["records"].sort_values(ascending=False)
    tenth = float(ordered.iloc[min(9, len(ordered) - 1)]) if len(ordered) else 0.0
    singular = (busy["records"] >= CITY_SHARE * points["records"].sum()) & (
        busy["records"] >= TIMES_BUSIEST * tenth
    )
    busy["pile_up"] = mixed & np.where(told, elsewhere, singular)
    return busy.reset_index(drop=True)
