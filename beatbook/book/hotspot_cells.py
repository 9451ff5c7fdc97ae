"""What a hotspot map draws of each cell and says about it, and what it must not say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.book import formatting
from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import require_projected
from beatbook.hotspots.grid import Grid
from beatbook.hotspots.weekly import LAYER_OFFENSES, SEX_OFFENSES, TOTAL
from beatbook.hotspots.zones import ZONE_STEP_M

if TYPE_CHECKING:
    import geopandas as gpd

CELL_COLUMNS = (
    "cell", "incidents", "around", "expected_around", "q", "class", "pattern", "cells_tested",
)  # fmt: skip
ZONE_COLUMNS = ("offense", "outer_m", "opens", "closes", "ratio")
CLASSES = ("hot", "cold", "not significant", "not tested")
PERIOD_LABELS = {"28_days": "28 days", "365_days": "52 weeks"}


# Clipped neighbors share an edge or corner to rounding; cells are hundreds of meters wide.
_TOUCH_M = 1.0


class Around(NamedTuple):
    """What may be said of the incidents in each cell and its neighbors: from ``low`` to ``high``.

    Both infinite counts and unknown upper ends are ``inf``; ``low == high`` is the exact sum.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def layer_frames(hotspots: pd.DataFrame, grid: Grid) -> dict[str, "gpd.GeoDataFrame"]:
    """Part the ``hotspots`` table of one week into a frame a layer, with the cells' polygons.

    Parameters
    ----------
    hotspots : DataFrame
        The table as declared, one department and week.
    grid : Grid
        The department's grid, the one the table was made on.

    Returns
    -------
    dict of str to GeoDataFrame
        "Total Part I, 28 days", "Total Part I, 52 weeks", then each offense in the order of the
        CompStat rows; offenses of no row come last, by name. Each frame has the table's columns
        and the clipped polygons in the grid's CRS, one row a cell, as many as the table has. An
        empty table gives no layers.

    Raises
    ------
    InvalidInput
        Where a cell is not in the grid (the table was made on another one), or a layer is of a
        sex offense: those are not shown below the neighborhood.
    """
    import geopandas as gpd

    missing = [name for name in ("period", "offense", *CELL_COLUMNS) if name not in hotspots]
    if missing:
        raise InvalidInput(f"The hotspots table lacks {formatting.listed(missing)}")
    shapes = pd.Series(grid.polygons().to_numpy(), index=grid.cell_id)
    strange = hotspots.loc[~hotspots["cell"].isin(shapes.index), "cell"]
    if len(strange):
        raise InvalidInput(
            f"{strange.nunique():,d} cells of the hotspots table are not in the grid, the first "
            f"{strange.iloc[0]!r}: build the table again with the department's present grid"
        )
    order = [TOTAL, *(row for row in LAYER_OFFENSES if row != TOTAL)]
    order += sorted(set(hotspots["offense"]) - set(order))
    periods = [*PERIOD_LABELS, *sorted(set(hotspots["period"]) - set(PERIOD_LABELS))]
    parts = {key: part for key, part in hotspots.groupby(["offense", "period"], sort=False)}
    layers = {}
    for offense in order:
        for period in periods:
            if (offense, period) not in parts:
                continue
            part = parts[offense, period].reset_index(drop=True)
            name = f"{offense}, {PERIOD_LABELS.get(period, period)}"
            _refuse_sex_offense(offense, name)
            layers[name] = gpd.GeoDataFrame(
                part, geometry=shapes.loc[part["cell"]].to_numpy(), crs=grid.crs
            )
    return layers


def check_layers(layers: Mapping[str, "gpd.GeoDataFrame"], title: str) -> None:
    """Refuse layers that cannot be drawn as they are; each message names map and layer."""
    if not layers:
        raise InvalidInput(f"Map {title!r}: there is no layer to draw")
    for name, layer in layers.items():
        where = f"Map {title!r}, layer {name!r}"
        missing = [column for column in CELL_COLUMNS if column not in layer.columns]
        if missing:
            raise InvalidInput(f"{where}: the cells lack {formatting.listed(missing)}")
        if layer.empty:
            raise InvalidInput(f"{where}: there is no cell")
        require_projected(layer)
        if layer.crs != next(iter(layers.values())).crs:
            raise InvalidInput(f"{where}: its CRS differs from the first layer's")
        if layer["cell"].duplicated().any():
            raise InvalidInput(f"{where}: a cell has more than one row")
        if (layer.geometry.isna() | layer.geometry.is_empty).any():
            raise InvalidInput(f"{where}: a cell has no polygon")
        strange = sorted(set(layer["class"]) - set(CLASSES))
        if strange:
            raise InvalidInput(f"{where}: class {strange[0]!r} is none of {', '.join(CLASSES)}")
        numbers = layer[["incidents", "around", "expected_around", "q"]]
        if not np.isfinite(numbers.to_numpy(dtype=np.float64)).all():
            raise InvalidInput(f"{where}: a count, expectation or q is missing")
        if (layer["incidents"].astype("float64") % 1 != 0).any():
            raise InvalidInput(f"{where}: incidents must be whole numbers")
        offenses = set(layer["offense"]) if "offense" in layer else {name.rsplit(",", 1)[0]}
        for offense in offenses:
            _refuse_sex_offense(str(offense), name)


def check_zones(zones: "gpd.GeoDataFrame", title: str) -> None:
    """Refuse zones that lack a column, a shape or a projected CRS, or are of a sex offense."""
    missing = [column for column in ZONE_COLUMNS if column not in zones.columns]
    if missing:
        raise InvalidInput(f"Map {title!r}: the zones lack {formatting.listed(missing)}")
    require_projected(zones)
    if (zones.geometry.isna() | zones.geometry.is_empty).any():
        raise InvalidInput(f"Map {title!r}: a near-repeat zone has no shape")
    for offense in set(zones["offense"]):
        _refuse_sex_offense(str(offense), "near-repeat zones")


def _refuse_sex_offense(offense: str, where: str) -> None:
    if offense in SEX_OFFENSES:
        raise InvalidInput(
            f"{where}: {offense} is never shown below the neighborhood; leave it out of the layers"
        )


def drawn(layer: "gpd.GeoDataFrame", small_cell_limit: int) -> npt.NDArray[np.int64]:
    """Give the rows of the cells that are drawn: hot, then cold, then others at the limit.

    The rest would say little and weigh much: most cells of a city hold none or one. Within a
    class the largest counts come first; hidden counts are equal, or their order would tell them.
    """
    class_ = layer["class"]
    rank = class_.map({"hot": 0, "cold": 1}).fillna(2).to_numpy()
    counts = layer["incidents"].to_numpy()
    shown = np.where(counts >= max(small_cell_limit, 1), counts, 0)
    order = np.lexsort((-shown, rank))
    return order[(rank[order] < 2) | (shown[order] > 0)]


def around_range(layer: "gpd.GeoDataFrame", small_cell_limit: int) -> Around:
    """Say how many incidents a cell and its neighbors hold without giving small counts away.

    A cell whose neighbors' counts are all printed could be had by subtraction from the sum; so a
    sum that holds a hidden count (1 up to below the limit, or net below zero) is given as the
    range that follows from the printed counts alone. Where neighbors cannot be told from the
    polygons (a cell cut off by the outline), the printed counts are the least and there is no
    most.

    Returns
    -------
    Around
        ``low`` and ``high`` a row, equal where the exact sum may be printed.
    """
    import shapely

    counts = layer["incidents"].to_numpy(dtype=np.float64)
    shapes = layer.geometry.to_numpy()
    rows, others = shapely.STRtree(shapes).query(shapes, "dwithin", distance=_TOUCH_M)

    def summed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        sums = np.bincount(rows, weights=values[others], minlength=counts.size)
        return sums.astype(np.float64)

    hidden = (counts != 0) & (counts < small_cell_limit)
    shown = np.where(hidden, 0.0, counts)
    # A net count below zero could be any; so few cells have one that it may stand as one less.
    low = summed(np.where(hidden, np.where(counts > 0, 1.0, -1.0), shown))
    high = summed(np.where(hidden, np.maximum(small_cell_limit - 1.0, 0.0), shown))
    matches = np.isclose(summed(counts), layer["around"].to_numpy(dtype=np.float64))
    high = np.where(matches, high, np.inf)
    return Around(low, high)


def phrases(
    layer: "gpd.GeoDataFrame", around: Around, small_cell_limit: int, rate: float
) -> list[tuple[str, ...]]:
    """Put each cell into words, in pieces that many cells share; joined they are the tooltip.

    ``12 offenses here; `` ``31 in it and its neighbors, `` ``9.4 expected; `` ``q 0.003: hot``
    ``; pattern: persistent hot``. Where the sum is a range, q is only set against a level: a
    q to three digits would give the sum away again.
    """
    columns = ("incidents", "expected_around", "q", "class", "pattern")
    cells = zip(*(layer[name] for name in columns), around.low, around.high, strict=True)
    words: list[tuple[str, ...]] = []
    for incidents, expected, q, class_, pattern, low, high in cells:
        exact = low == high
        said = "not tested" if class_ == "not tested" else f"{_q(q, exact, rate)}: {class_}"
        told = isinstance(pattern, str) and pattern not in ("", "no pattern")
        words.append(
            (
                f"{_count(int(incidents), small_cell_limit)} here; ",
                f"{_sum(low, high)} in it and its neighbors, ",
                f"{_expected(expected)} expected; ",
                said,
                f"; pattern: {pattern}" if told else "",
            )
        )
    return words


def zone_words(zone: Mapping[str, Any]) -> str:
    """Put a zone into words: offense, where, until when, how many times the expected."""
    outer, inner = float(zone["outer_m"]), float(zone.get("inner_m", 0.0))
    if outer < ZONE_STEP_M:
        where = "at one place in this square"
    elif inner < ZONE_STEP_M / 2:
        where = f"within {outer:,.0f} m"
    else:
        where = f"{inner:,.0f} to {outer:,.0f} m away"
    return (
        f"{zone['offense']}: risk of a near repeat {where} raised until "
        f"{formatting.day(zone['closes'])} (from {formatting.day(zone['opens'])}), "
        f"{float(zone['ratio']):.1f} times the expected"
    )


def layer_notes(layer: "gpd.GeoDataFrame", rate: float, left_out: str) -> list[str]:
    """Give the legend's lines on a layer: days, tests with their rate, share left out.

    ``start``, ``end`` and ``share_left_out`` are used where the layer has them; else the map's
    own words on what is left out.
    """
    first = layer.iloc[0]
    notes = []
    if {"start", "end"} <= set(layer.columns):
        notes.append(formatting.day_range(first["start"], first["end"]))
    notes.append(tests_line(layer, rate))
    if "share_left_out" in layer.columns:
        notes.append(_left_out(float(first["share_left_out"])))
    elif left_out:
        notes.append(left_out)
    return notes


def tests_line(layer: "gpd.GeoDataFrame", rate: float) -> str:
    """Write how many cells were tested at what rate: 2,914 cells tested, 5 % false discoveries."""
    tested = formatting.counted(int(layer["cells_tested"].iloc[0]), "cell")
    return f"{tested} tested, {100 * rate:g} % false discoveries"


def _left_out(share: float) -> str:
    if share <= 0:
        return "No offense left out"
    percent = "Under 0.1" if share < 0.001 else f"{100 * share:.1f}"
    return f"{percent} % without a usable point left out"


def _count(incidents: int, small_cell_limit: int) -> str:
    if incidents <= 0:
        return "no offenses"
    if incidents < small_cell_limit:
        return f"fewer than {small_cell_limit} offenses"
    return formatting.counted(incidents, "offense")


def _sum(low: float, high: float) -> str:
    least = max(low, 0.0)
    if np.isinf(high):
        return f"at least {least:,.0f}"
    return f"{high:,.0f}" if low == high else f"{least:,.0f} to {high:,.0f}"


def _expected(expected: float) -> str:
    if 0 < expected < 0.01:
        return "under 0.01"
    return f"{expected:,.1f}" if expected >= 1 else f"{expected:.2f}"


def _q(q: float, exact: bool, rate: float) -> str:
    if q < 0.001:
        return "q under 0.001"
    if not exact:
        return f"q {'at most' if q <= rate else 'above'} {rate:g}"
    return f"q {q:.3f}" if q < 0.1 else f"q {q:.2f}"
