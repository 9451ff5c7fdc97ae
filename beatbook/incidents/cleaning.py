"""Clean a feed snapshot into incidents, with DuckDB, in one pass over the rows.

What repeats is worked out once a distinct value: each point is projected and looked up on the
map once, each offense code is mapped once, each address is coarsened once. The rows then only
join these. That keeps eight million rows within minutes and a few gigabytes on two cores.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from beatbook.areas import area_codes, locate
from beatbook.department import AREA_KINDS, Department
from beatbook.feed.snapshot import Snapshot
from beatbook.incidents import sql
from beatbook.incidents.addresses import ADDRESSES
from beatbook.incidents.corrections import IN_FORCE, apply_corrections, corrected_source
from beatbook.offenses import load_offenses, map_offenses
from beatbook.quality.axes import axes_swapped
from beatbook.quality.pile_ups import pile_ups, point_statistics

MEMORY = "1500MB"
"""DuckDB's own limit; past it, it spills to disk. The process needs about twice as much."""


@dataclass(frozen=True)
class Cleaned:
    """The staged tables of one snapshot, as files, and how the rows add up.

    Attributes
    ----------
    incidents, rejected, feed_files, corrections
        Parquet files that conform to the declared tables.
    rows, accepted, refused
        ``rows == accepted + refused``: every source row is in exactly one of the two tables.
    """

    incidents: Path
    rejected: Path
    feed_files: Path
    rows: int
    accepted: int
    refused: int

    @property
    def corrections(self) -> Path:
        """The corrections in force, with the values that they replace; empty if there are none."""
        return self.incidents.with_name("corrections.parquet")


def clean(
    department: Department,
    snapshot: Snapshot,
    folder: Path,
    progress: Callable[[str], None] = lambda _message: None,
    corrections: pd.DataFrame | None = None,
) -> Cleaned:
    """Clean a snapshot into staged tables.

    Parameters
    ----------
    department
        Whose layouts, codes, areas and rules.
    snapshot
        The feed as text, from :func:`beatbook.feed.take_snapshot`.
    folder
        Where the staged files go; emptied first.
    progress
        Told in a few words how far the cleaning is.
    corrections
        The steward's corrections in force, one row a record and field, with the columns
        :data:`beatbook.incidents.corrections.IN_FORCE`; none if not given. Each replaces a
        published value before it is read, in a row that would be accepted or refused alike;
        one that no longer fits the feed is not applied, and the table ``corrections`` says why.

    Returns
    -------
    Cleaned
        ``incidents``: times local to the department (a feed in UTC is converted by its zone's
        rules; where clocks go back, two UTC hours share one local hour; a feed that is local
        already is taken as written, also in the hour that clocks skip), ``x, y`` in meters in
        the department's CRS, addresses at the hundred block, no point and no address on sex
        offenses nor on codes that are not mapped.

        A point that holds what did not happen there (:mod:`beatbook.quality.pile_ups`) gives its
        records the ``location_quality`` pile_up.

        ``rejected``: rows without an offense code, or with an unreadable date of occurrence,
        known date or count, and repeats of a record key where the department says that its
        key is unique. An optional value that cannot be read leaves the row accepted and is
        named in ``unread_fields``.

        In both, ``record_id`` is that of the published values, whatever has been corrected.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spill = folder / "spill"
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        # The order of rows is not part of the table, and keeping it would hold rows back in memory.
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("SET temp_directory = ?", [str(spill)])
        connection.execute(sql.published(department, snapshot))
        progress("looking for repeated keys")
        connection.execute(sql.repeated_keys(department))
        if corrections is None:
            corrections = pd.DataFrame(columns=list(IN_FORCE), dtype="str")
        corrected, told = apply_corrections(connection, department, corrections)
        told.to_parquet(folder / "corrections.parquet", index=False)
        connection.execute(corrected_source(corrected))
        progress(f"mapping offenses and places of {snapshot.rows:,} rows")
        _offenses(connection, department)
        _places(connection, department, folder)
        connection.execute(ADDRESSES)
        for kind in AREA_KINDS:
            connection.register(f"codes_{kind}", area_codes(department, kind))
        connection.execute(sql.parsed(department, corrected))
        progress("looking for rows to refuse")
        connection.execute(sql.rejected(department))
        progress("writing incidents")
        cleaned = Cleaned(
            incidents=folder / "incidents.parquet",
            rejected=folder / "rejected_incidents.parquet",
            feed_files=folder / "feed_files.parquet",
            rows=snapshot.rows,
            accepted=0,
            refused=0,
        )
        connection.execute(sql.write_incidents(department, cleaned.incidents))
        connection.execute(sql.write_rejected(cleaned.rejected))
        connection.execute(sql.write_feed_files(snapshot, cleaned))
        accepted = _count(connection, cleaned.incidents)
        refused = _count(connection, cleaned.rejected)
    shutil.rmtree(spill, ignore_errors=True)
    if accepted + refused != snapshot.rows:
        raise RuntimeError(
            f"{department.slug}: {snapshot.rows:,} source rows, but {accepted:,} accepted and "
            f"{refused:,} refused. This is a fault of Beatbook, not of the feed."
        )
    return Cleaned(
        cleaned.incidents, cleaned.rejected, cleaned.feed_files, snapshot.rows, accepted, refused
    )


def _offenses(connection: duckdb.DuckDBPyConnection, department: Department) -> None:
    codes = connection.sql(
        "SELECT DISTINCT offense_code FROM source WHERE offense_code IS NOT NULL"
    ).fetchall()
    meanings = map_offenses((code for (code,) in codes), load_offenses(department))
    connection.register("offense_map", meanings)


def _places(connection: duckdb.DuckDBPyConnection, department: Department, folder: Path) -> None:
    # A value that is no number is a missing location, not a lost row.
    connection.execute(
        "CREATE TABLE points AS SELECT DISTINCT try_cast(x AS DOUBLE) AS feed_x, "
        "try_cast(y AS DOUBLE) AS feed_y FROM source "
        "WHERE try_cast(x AS DOUBLE) IS NOT NULL AND try_cast(y AS DOUBLE) IS NOT NULL "
        "ORDER BY ALL"
    )
    points = connection.sql("SELECT * FROM points").df()
    located = locate(points, department)
    connection.register("located", located)
    connection.execute("CREATE TABLE places AS SELECT * FROM located")
    connection.unregister("located")
    usable = located["quality"].isin(["exact", "block", "pile_up"])
    swapped = axes_swapped(located["feed_x"], located["feed_y"], usable)
    # Kept beside the staged tables for the checks; neither file is published.
    located.loc[swapped, ["feed_x", "feed_y"]].to_parquet(folder / "swapped_points.parquet")
    # Sex offenses and unknown codes have no point, so they are in no point's records either.
    connection.execute(
        """
        CREATE TEMP VIEW placed AS
        SELECT places.x, places.y, offense_map.offense, source.block_address AS address
        FROM source JOIN offense_map USING (offense_code)
        JOIN places ON places.feed_x = try_cast(source.x AS DOUBLE)
            AND places.feed_y = try_cast(source.y AS DOUBLE)
        WHERE places.quality NOT IN ('outside', 'missing') AND NOT offense_map.sex_offense
        """
    )
    busy = pile_ups(point_statistics(connection, "placed"))
    busy.to_parquet(folder / "busy_points.parquet", index=False)
    piled = busy.loc[busy["pile_up"], ["x", "y"]]
    connection.register("piled", piled)
    # A default location says nothing of where it was, so nothing is filled in from it.
    maps = ", ".join(f"{kind}_map = NULL" for kind in AREA_KINDS)
    connection.execute(
        f"UPDATE places SET quality = 'pile_up', {maps} FROM piled "
        "WHERE places.x = piled.x AND places.y = piled.y"
    )
    connection.unregister("piled")


def _count(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    counted = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
    return int(counted[0]) if counted else 0
