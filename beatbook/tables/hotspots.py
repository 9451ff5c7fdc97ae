"""The hotspot layers of one week."""

from beatbook.tables.declaration import Column, Table

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

SPACE_TIME_CLUSTERS = Table(
    name="space_time_clusters",
    grain="one cluster alive at the end of one week, by the prospective scan over 52 weeks",
    key=("offense", "rank"),
    partition="week_ending",
    columns=(
        _OFFENSE,
        Column("rank", "int64", "1 is the most likely", required=True),
        Column(
            "x", "float64", "easting of the circle's center, a grid cell's", unit="m", required=True
        ),
        Column("y", "float64", "northing of the circle's center", unit="m", required=True),
        Column("radius_m", "float64", "radius of the circle", unit="m", required=True),
        Column("first_day", "datetime64[us]", "first day of the cluster", required=True),
        Column("days", "int64", "length up to the week's end", unit="days", required=True),
        Column("observed", "int64", "offenses in it", unit="offenses", required=True),
        Column(
            "expected",
            "float64",
            "by the places' and the calendar's own pattern",
            unit="offenses",
            required=True,
        ),
        Column("ratio", "float64", "observed over expected", required=True),
        Column("p", "float64", "Monte Carlo, against the largest of each shuffle", required=True),
        Column(
            "recurrence_days",
            "float64",
            "by chance once in so many days of weekly runs",
            unit="days",
            required=True,
        ),
        *_SPAN,
    ),
)
