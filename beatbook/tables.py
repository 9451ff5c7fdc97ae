"""Every published table, declared once: grain, key, columns with type, unit and meaning.

Casts on writing, the checks' required columns, the data dictionary and the column list in
Dagster's UI all come from here.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from beatbook.errors import InvalidInput

DType = Literal["string", "int64", "Int64", "float64", "bool", "datetime64[us]"]

PARQUET_TYPES: dict[str, str] = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "Int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime64[us]": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """One column: its name, its type, what it means, and its unit where it has one."""

    name: str
    dtype: DType
    meaning: str
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: what a row is, what makes it unique, and its columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: str = ""

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Bring a frame to the declared columns and types.

        Raises
        ------
        InvalidInput
            If a column is missing, one is not declared, a required value is missing, or the
            key is not unique: a table is as declared or it is not written.
        """
        lacking = [name for name in self.column_names if name not in frame.columns]
        surplus = [name for name in frame.columns if name not in self.column_names]
        if lacking or surplus:
            raise InvalidInput(
                f"The table {self.name} is declared otherwise: lacking {lacking}, "
                f"surplus {surplus}."
            )
        # Looked at before casting, which makes a missing bool True.
        for column in self.columns:
            if column.required and frame[column.name].isna().any():
                raise InvalidInput(f"{self.name}.{column.name} is required and has missing values.")
        out = frame.loc[:, self.column_names]
        for column in self.columns:
            try:
                out = out.astype({column.name: column.dtype})
            except (TypeError, ValueError) as error:
                raise InvalidInput(
                    f"{self.name}.{column.name} cannot be held as {column.dtype}: {error}"
                ) from None
        if self.key and out.duplicated(list(self.key)).any():
            raise InvalidInput(f"The key of {self.name} ({', '.join(self.key)}) is not unique.")
        return out


def _area(kind: str, what: str) -> tuple[Column, ...]:
    return (
        Column(kind, "string", f"{what}; missing if unknown"),
        Column(
            f"{kind}_source",
            "string",
            f"where the {kind} is from: record, boundary (the map, where the record had none), "
            "unlisted (the record's code is on no list), missing",
            required=True,
        ),
        Column(
            f"{kind}_disagrees",
            "bool",
            f"the record's {kind} is not the one that its point lies in",
            required=True,
        ),
    )


INCIDENTS = Table(
    name="incidents",
    grain="one offense record that the department published",
    key=("record_id",),
    columns=(
        Column("record_id", "string", "stable identity of the record", required=True),
        Column("incident_number", "string", "the department's case number, where published"),
        Column("offense_code", "string", "offense code as published", required=True),
        Column("offense", "string", "the department's CompStat row", required=True),
        Column("ucr_code", "string", "FBI Summary (UCR) class, two digits"),
        Column("nibrs_code", "string", "NIBRS offense code"),
        Column("against", "string", "what the crime is against: person, property, society"),
        Column("part", "string", "UCR Part: I or II"),
        Column(
            "count",
            "int64",
            "+1, or -1 where the department cancels an earlier record; crime is the sum",
            unit="offenses",
            required=True,
        ),
        Column("occurred_from", "datetime64[us]", "start of occurrence, local", required=True),
        Column("occurred_to", "datetime64[us]", "end of occurrence, local, where published"),
        Column("reported_at", "datetime64[us]", "when it was reported, local, where published"),
        Column(
            "known_on", "datetime64[us]", "day from which the books held the record", required=True
        ),
        *_area("precinct", "command area in force when the record was coded"),
        Column("precinct_recorded", "string", "the precinct as it stands on the record"),
        *_area("beat", "beat, or what the department patrols by"),
        *_area("neighborhood", "neighborhood code"),
        Column("block_address", "string", "hundred block or intersection; none for sex offenses"),
        Column("x", "float64", "easting in the department's CRS; none for sex offenses", unit="m"),
        Column("y", "float64", "northing in the department's CRS; none for sex offenses", unit="m"),
        Column(
            "location_quality",
            "string",
            "exact, block, pile_up, outside or missing: which points a map may use",
            required=True,
        ),
        Column("origin", "string", "citizen, officer, alarm or unknown", required=True),
        Column(
            "unread_fields", "string", "optional fields whose published value could not be read"
        ),
        Column("source_file", "string", "feed file that the record came in", required=True),
        Column("source_row", "int64", "its data row in that file, from 1", required=True),
    ),
)

REJECTED_INCIDENTS = Table(
    name="rejected_incidents",
    grain="one source row that could not become an incident",
    key=("source_file", "source_row"),
    columns=(
        Column("source_file", "string", "feed file", required=True),
        Column("source_row", "int64", "data row in that file, from 1", required=True),
        Column("reason", "string", "why it was refused, a short code", required=True),
        Column("field", "string", "the field at fault", required=True),
        Column("observed", "string", "what the field holds"),
        Column("expected", "string", "what it should hold", required=True),
        Column("incident_number", "string", "the department's case number, where published"),
        Column("offense_code", "string", "offense code as published"),
        Column("count", "string", "the count as published"),
        Column("occurred_from", "string", "start of occurrence as published"),
        Column("known_on", "string", "known day or month as published"),
        Column("precinct", "string", "precinct as published"),
    ),
)

FEED_FILES = Table(
    name="feed_files",
    grain="one file of the feed",
    key=("file",),
    columns=(
        Column("file", "string", "name of the file", required=True),
        Column("sha256", "string", "hash of its bytes as they stand", required=True),
        Column("bytes", "int64", "size", unit="bytes", required=True),
        Column("rows", "int64", "data rows", unit="rows", required=True),
        Column("layout", "string", "the declared layout its header matched", required=True),
        Column("unused_columns", "string", "columns of the file that the layout does not map"),
        Column("accepted", "int64", "rows that became incidents", unit="rows", required=True),
        Column("rejected", "int64", "rows that were refused", unit="rows", required=True),
    ),
)

WEEKLY_COUNTS = Table(
    name="weekly_counts",
    grain="one precinct, offense and CompStat week that the feed covers",
    key=("precinct", "offense", "week"),
    columns=(
        Column("precinct", "string", "precinct code, or Unknown", required=True),
        Column("offense", "string", "CompStat row, or Unmapped", required=True),
        Column("week", "datetime64[us]", "first day of the week", required=True),
        Column("incidents", "int64", "net offenses of that week", unit="offenses", required=True),
    ),
)

COMPSTAT = Table(
    name="compstat",
    grain="one geography, offense, window and comparison of one book",
    key=("geography_type", "geography", "offense", "window", "comparison"),
    partition="week_ending",
    columns=(
        Column("department", "string", "the department's short name", required=True),
        Column("week_ending", "datetime64[us]", "last day of the book's week", required=True),
        Column("as_of", "datetime64[us]", "only what was known by this day", required=True),
        Column("geography_type", "string", "city or precinct", required=True),
        Column("geography", "string", "city name, precinct code, or Unknown", required=True),
        Column("offense", "string", "CompStat row or total", required=True),
        Column("window", "string", "week, 28_days or year_to_date", required=True),
        Column("comparison", "string", "prior_period or prior_year", required=True),
        Column("current_start", "datetime64[us]", "first day of the window", required=True),
        Column("current_end", "datetime64[us]", "last day of the window", required=True),
        Column("prior_start", "datetime64[us]", "first day compared with", required=True),
        Column("prior_end", "datetime64[us]", "last day compared with", required=True),
        Column("current", "Int64", "net offenses; missing if not covered", unit="offenses"),
        Column(
            "prior",
            "Int64",
            "net offenses; missing if not covered or not comparable",
            unit="offenses",
        ),
        Column("percent_change", "float64", "missing for a base of zero", unit="%"),
        Column("p_value", "float64", "two-sided Poisson E-test"),
        Column("q_value", "float64", "Benjamini-Hochberg over all tests of the book"),
        Column("note", "string", "empty, 'not covered' or 'not comparable'", required=True),
    ),
)

_OFFENSE = Column("offense", "string", "CompStat row, or Total Part I", required=True)
_LEFT_OUT = Column(
    "share_left_out",
    "float64",
    "share of the incidents that have no usable point and are in no layer, 0 to 1",
    required=True,
)

_SPAN = (
    Column("start", "datetime64[us]", "first day: 52 weeks back, or the feed's", required=True),
    Column("end", "datetime64[us]", "last day of the week", required=True),
)

HOTSPOTS = Table(
    name="hotspots",
    grain="one cell of the department's grid, offense and period of one week",
    key=("period", "offense", "cell"),
    partition="week_ending",
    columns=(
        Column("period", "string", "28_days or 365_days (52 weeks) up to the week", required=True),
        _OFFENSE,
        Column("cell", "string", "name of the cell: column and row from the origin", required=True),
        Column("x", "float64", "easting of the cell's center", unit="m", required=True),
        Column("y", "float64", "northing of the cell's center", unit="m", required=True),
        Column("area_m2", "float64", "area within the city", unit="m2", required=True),
        Column("start", "datetime64[us]", "first day of the period", required=True),
        Column("end", "datetime64[us]", "last day of the period", required=True),
        Column("incidents", "int64", "net offenses in the cell", unit="offenses", required=True),
        Column(
            "density_per_km2",
            "float64",
            "kernel density at the cell's center, quartic, 500 m",
            unit="offenses/km2",
            required=True,
        ),
        Column(
            "around",
            "float64",
            "net offenses in the cell and its neighbors",
            unit="offenses",
            required=True,
        ),
        Column(
            "expected_around",
            "float64",
            "what an even spread would put there",
            unit="offenses",
            required=True,
        ),
        Column("z", "float64", "Getis-Ord Gi* z", required=True),
        Column("p", "float64", "two-sided p", required=True),
        Column(
            "p_from",
            "string",
            "analytic (of z), or permutation where neighborhoods hold under one offense",
            required=True,
        ),
        Column("q", "float64", "Benjamini-Hochberg over the cells of the layer", required=True),
        Column(
            "class",
            "string",
            "hot, cold, not significant or not tested, at 5 % false discoveries",
            required=True,
        ),
        Column(
            "pattern",
            "string",
            "emerging-hotspot class over 13 slices of 28 days; empty for 28_days",
            required=True,
        ),
        Column("cells_tested", "int64", "cells tested in the layer", unit="cells", required=True),
        _LEFT_OUT,
    ),
)

NEAR_REPEATS = Table(
    name="near_repeats",
    grain="one offense, distance band and time band of one week's Knox test over 52 weeks",
    key=("offense", "distance_band", "time_band"),
    partition="week_ending",
    columns=(
        _OFFENSE,
        Column("distance_band", "string", "in interval notation, meters", required=True),
        Column("time_band", "string", "in interval notation, days", required=True),
        Column("distance_from", "float64", "from", unit="m", required=True),
        Column("distance_to", "float64", "to", unit="m", required=True),
        Column("days_from", "float64", "from", unit="days", required=True),
        Column("days_to", "float64", "to", unit="days", required=True),
        Column("observed", "int64", "pairs seen", unit="pairs", required=True),
        Column("expected_mean", "float64", "mean of the permutations", unit="pairs", required=True),
        Column(
            "expected_median", "float64", "median of the permutations", unit="pairs", required=True
        ),
        Column("ratio_mean", "float64", "observed over expected mean; missing if that is 0"),
        Column("ratio_median", "float64", "observed over expected median; missing if that is 0"),
        Column("p", "float64", "one-sided, Monte Carlo", required=True),
        Column("q", "float64", "Benjamini-Hochberg over the bands", required=True),
        Column("incidents", "int64", "offenses tested", unit="offenses", required=True),
        Column("permutations", "int64", "shuffles of the dates", required=True),
        Column("metric", "string", "manhattan or euclidean", required=True),
        _LEFT_OUT,
        *_SPAN,
    ),
)

NEAR_REPEAT_ZONES = Table(
    name="near_repeat_zones",
    grain="one zone where the risk of a near repeat is raised at the end of one week",
    key=("offense", "x", "y", "outer_m"),
    partition="week_ending",
    columns=(
        _OFFENSE,
        Column("x", "float64", "easting of the center, to 100 m", unit="m", required=True),
        Column("y", "float64", "northing of the center, to 100 m", unit="m", required=True),
        Column("inner_m", "float64", "inner distance", unit="m", required=True),
        Column("outer_m", "float64", "outer distance (Manhattan)", unit="m", required=True),
        Column("opens", "datetime64[us]", "first day of the raised risk", required=True),
        Column("closes", "datetime64[us]", "last day of the raised risk", required=True),
        Column(
            "ratio",
            "float64",
            "observed over expected pairs at this distance and time",
            required=True,
        ),
        Column("q", "float64", "of that band of the Knox test", required=True),
    ),
)

REPEAT_PLACES = Table(
    name="repeat_places",
    grain="one block and offense over 52 weeks, at or above the small-cell limit",
    key=("offense", "block_address"),
    partition="week_ending",
    columns=(
        _OFFENSE,
        Column("block_address", "string", "hundred block or intersection", required=True),
        Column("rank", "int64", "1 holds the most", required=True),
        Column("incidents", "int64", "net offenses", unit="offenses", required=True),
        Column("share", "float64", "of all with an address, 0 to 1", required=True),
        Column("cumulative_share", "float64", "of this and all above, 0 to 1", required=True),
        *_SPAN,
    ),
)

PLACE_CONCENTRATION = Table(
    name="place_concentration",
    grain="one offense and share of incidents: how few blocks hold it, and what chance gives",
    key=("offense", "incident_share"),
    partition="week_ending",
    columns=(
        _OFFENSE,
        Column("incident_share", "float64", "share of incidents, 0 to 1", required=True),
        Column("places", "int64", "fewest blocks that hold it", unit="blocks", required=True),
        Column("place_share", "float64", "of all blocks, 0 to 1", required=True),
        Column(
            "expected_places",
            "float64",
            "by chance, so few incidents over so many blocks",
            unit="blocks",
            required=True,
        ),
        Column("expected_place_share", "float64", "of all blocks, 0 to 1", required=True),
        Column("low", "float64", "lower end of the 95 % chance interval", required=True),
        Column("high", "float64", "upper end of the 95 % chance interval", required=True),
        Column("more_concentrated", "bool", "fewer blocks than chance gives", required=True),
        Column(
            "blocks", "int64", "all blocks that ever had a record", unit="blocks", required=True
        ),
        *_SPAN,
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        INCIDENTS,
        REJECTED_INCIDENTS,
        FEED_FILES,
        WEEKLY_COUNTS,
        COMPSTAT,
        HOTSPOTS,
        NEAR_REPEATS,
        NEAR_REPEAT_ZONES,
        REPEAT_PLACES,
        PLACE_CONCENTRATION,
    )
}
