"""Points: swapped axes, pile-ups, and addresses that say too much."""

import pandas as pd

from beatbook.book.formatting import counted
from beatbook.quality.axes import axes_swapped
from beatbook.quality.pile_ups import pile_ups, point_statistics
from beatbook.quality.staged import Staged


def swapped_points(staged: Staged) -> pd.DataFrame:
    """Records whose published x and y fit the city the other way around only.

    Returns
    -------
    DataFrame
        One row a record with swapped axes (:func:`beatbook.quality.axes.axes_swapped`):
        ``record_key, field, observed, expected, source_file, source_row, swapped`` (True).
        ``attrs["checked"]`` is the number of records outside the city or without a usable point.
        No coordinate is in it. Sex offenses are left out.
    """
    columns = [
        "record_key", "field", "observed", "expected", "source_file", "source_row", "swapped",
    ]  # fmt: skip
    none = pd.DataFrame(columns=columns).astype({"swapped": "bool"})
    swapped = _swapped_coordinates(staged)
    if swapped is None or not len(swapped):
        return none
    staged.connection.register("swapped", swapped)
    table = staged.ask(
        """
        SELECT record_id AS record_key, 'x, y' AS field,
            'x and y in each other''s place' AS observed, 'a point within the city' AS expected,
            source_file, source_row, true AS swapped
        FROM incidents JOIN (
            SELECT source_file, source_row FROM published
            SEMI JOIN swapped ON try_cast(published.x AS DOUBLE) = swapped.feed_x
                AND try_cast(published.y AS DOUBLE) = swapped.feed_y
        ) AS rows USING (source_file, source_row)
        WHERE location_quality IN ('outside', 'missing')
            AND NOT coalesce(ucr_code IN ('02', '17'), true)
        ORDER BY source_file, source_row
        """
    )
    return table[columns]


def _swapped_coordinates(staged: Staged) -> pd.DataFrame | None:
    """The coordinates, as published, that are swapped; None where the feed's text is not here."""
    if not staged.has_text:
        return None
    if staged.made_while_cleaning is not None:
        left = staged.made_while_cleaning / "swapped_points.parquet"
        if left.is_file():
            return pd.read_parquet(left)
    points = staged.ask(
        """
        SELECT try_cast(x AS DOUBLE) AS feed_x, try_cast(y AS DOUBLE) AS feed_y,
            bool_or(location_quality NOT IN ('outside', 'missing')) AS held
        FROM published JOIN (
            SELECT source_file, source_row, location_quality FROM incidents
            WHERE NOT coalesce(ucr_code IN ('02', '17'), true)
        ) AS kept USING (source_file, source_row)
        WHERE try_cast(x AS DOUBLE) IS NOT NULL AND try_cast(y AS DOUBLE) IS NOT NULL
        GROUP BY ALL
        """
    )
    return points[axes_swapped(points["feed_x"], points["feed_y"], points["held"])]


def piled_points(staged: Staged) -> pd.DataFrame:
    """Busy points, with whether each is a pile-up.

    Returns
    -------
    DataFrame
        One row a point with at least 20 records: ``record_key`` (its easting and northing),
        ``field, observed, expected, records, unrelated, around, strangers, pile_up``. Sex
        offenses have no point and are in none of the counts.
    """
    table = None
    if staged.made_while_cleaning is not None:
        left = staged.made_while_cleaning / "busy_points.parquet"
        table = pd.read_parquet(left) if left.is_file() else None
    if table is None:
        staged.connection.execute(
            "CREATE OR REPLACE TEMP VIEW placed AS SELECT round(x, 1) AS x, round(y, 1) AS y, "
            "offense, block_address AS address FROM incidents WHERE x IS NOT NULL "
            "AND location_quality <> 'outside'"
        )
        table = pile_ups(point_statistics(staged.connection, "placed"))
    table["record_key"] = [f"{x:.0f} {y:.0f}" for x, y in table[["x", "y"]].itertuples(index=False)]
    table["field"] = "location_quality"
    table["observed"] = [
        f"{row.records:,} records on one point, {row.unrelated:,} beyond the commonest offense "
        f"(points around it: {row.around:,.0f}); {row.strangers:,} of {row.addressed:,} "
        "addresses name streets that do not meet there"
        for row in table.itertuples()
    ]
    table["expected"] = "records of what happened there"
    return table


def block_addresses(staged: Staged) -> pd.DataFrame:
    """Each address that the table would publish, once.

    Returns
    -------
    DataFrame
        ``record_key`` (the first record with it), ``field, observed`` (how many records carry it;
        never the address), ``expected, source_file, source_row, block_address``.
    """
    table = staged.ask(
        """
        SELECT block_address, count(*)::BIGINT AS records, min(record_id) AS record_key,
            arg_min(source_file, record_id) AS source_file,
            arg_min(source_row, record_id) AS source_row
        FROM incidents WHERE block_address IS NOT NULL GROUP BY 1
        """
    )
    table["field"] = "block_address"
    table["observed"] = [f"an address with a house number, on {counted(n, 'record')}"
                         for n in table["records"]]  # fmt: skip
    table["expected"] = "the hundred block, or no address"
    return table
