"""Every published table, declared once: grain, key, columns with type, unit and meaning.

Casts on writing, the checks' required columns, the data dictionary and the column list in
Dagster's UI all come from here.
"""

from beatbook.tables.compstat import COMPSTAT, WEEKLY_COUNTS
from beatbook.tables.declaration import PARQUET_TYPES, Column, DType, Table
from beatbook.tables.forecasts import (
    FORECAST_SCORECARD,
    FORECAST_SCORES,
    FORECASTS,
    NOWCASTS,
    PLACE_CALIBRATION,
    PLACE_FORECASTS,
)
from beatbook.tables.hotspots import (
    HOTSPOTS,
    NEAR_REPEAT_ZONES,
    NEAR_REPEATS,
    PLACE_CONCENTRATION,
    REPEAT_PLACES,
    SPACE_TIME_CLUSTERS,
)
from beatbook.tables.incidents import FEED_FILES, INCIDENTS, REJECTED_INCIDENTS
from beatbook.tables.quality import CORRECTIONS, QUALITY_QUEUE, QUALITY_RESULTS

__all__ = [
    "COMPSTAT",
    "CORRECTIONS",
    "FEED_FILES",
    "FORECASTS",
    "FORECAST_SCORECARD",
    "FORECAST_SCORES",
    "HOTSPOTS",
    "INCIDENTS",
    "NEAR_REPEATS",
    "NEAR_REPEAT_ZONES",
    "NOWCASTS",
    "PARQUET_TYPES",
    "PLACE_CALIBRATION",
    "PLACE_CONCENTRATION",
    "PLACE_FORECASTS",
    "QUALITY_QUEUE",
    "QUALITY_RESULTS",
    "REJECTED_INCIDENTS",
    "REPEAT_PLACES",
    "SPACE_TIME_CLUSTERS",
    "TABLES",
    "WEEKLY_COUNTS",
    "Column",
    "DType",
    "Table",
]

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
        SPACE_TIME_CLUSTERS,
        QUALITY_RESULTS,
        QUALITY_QUEUE,
        CORRECTIONS,
        FORECASTS,
        NOWCASTS,
        PLACE_FORECASTS,
        PLACE_CALIBRATION,
        FORECAST_SCORES,
        FORECAST_SCORECARD,
    )
}
