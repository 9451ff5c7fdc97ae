"""Maps of a book: incidents by area, to be explored on the screen and read on paper."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from beatbook.book import formatting, svg
from beatbook.book.blocks import Map
from beatbook.errors import InvalidInput

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

AREA_COLUMNS = ("code", "name", "incidents")

#: Sequential and told apart by those who confuse red and green; the lightest is yet darker than
#: ZERO, which is paper white.
PALETTE = ("#cfe3ee", "#93c0d9", "#4f94bd", "#20669b", "#08335e")
ZERO = "#ffffff"

#: Areas are simplified to this; at the scale of a page it is a tenth of a line's width.
TOLERANCE_M = 10.0
# Above this many vertices the tolerance is doubled: two megabytes is what a frame may weigh.
_MAX_VERTICES = 40_000

_MILE_M = 1609.344
_NAMED = 5


class Class(NamedTuple):
    """A class of the legend: counts from ``low`` to ``high``, both included."""

    low: int
    high: int
    color: str

    @property
    def label(self) -> str:
        """``0``, ``1 to 3``, ``12``; the lowest class may reach below zero."""
        if self.low == self.high:
            return formatting.count(self.high)
        return f"{formatting.count(self.low)} to {formatting.count(self.high)}"


def area_map(
    areas: "gpd.GeoDataFrame",
    outline: "gpd.GeoDataFrame | None",
    title: str,
    area_label: str,
    left_out: str,
) -> Map:
    """Map incidents by area: an interactive page and a picture for print, with one legend.

    Parameters
    ----------
    areas : GeoDataFrame
        One row an area: ``code``, ``name``, ``incidents`` (whole number, net of cancellations),
        polygons in any CRS. Rows without a geometry are refused: they would vanish.
    outline : GeoDataFrame or None
        The department's limit, drawn as a line; any CRS.
    title : str
        What is counted and when; the map's caption.
    area_label : str
        The word for one area ("neighborhood").
    left_out : str
        The share of incidents that the map cannot show, printed below it; "" only where there is
        none.

    Returns
    -------
    Map
        Shared borders stay shared (coverage simplification, 10 m in UTM meters; coarser only
        where the areas have more than 40,000 vertices). Classes are quantiles of the areas
        above zero, whole-number breaks, five at most; areas with none are a class of their own.
        No tiles: the page loads nothing. Points are never drawn.

    Raises
    ------
    InvalidInput
        Where a column or the CRS is missing, there is no area, a count is missing or not whole,
        or a geometry is missing.
    """
    areas, metric = _prepared(areas, title)
    classes = class_breaks([int(value) for value in areas["incidents"]])
    areas["color"] = [_class_of(int(value), classes).color for value in areas["incidents"]]
    areas["words"] = [
        f"{name}: {formatting.counted(int(value), 'incident')}"
        for name, value in zip(areas["name"], areas["incidents"], strict=True)
    ]
    limit = None
    if outline is not None:
        if outline.crs is None:
            raise InvalidInput(f"Map {title!r}: the outline has no CRS")
        limit = outline[["geometry"]].to_crs(metric)
        limit["geometry"] = limit.simplify(TOLERANCE_M)
    from beatbook.book.leaflet import interactive_map

    legend_title = f"Incidents by {area_label}"
    html = interactive_map(
        areas.to_crs("EPSG:4326"),
        None if limit is None else limit.to_crs("EPSG:4326"),
        [(c.color, c.label) for c in classes],
        legend_title,
        title,
    )
    return Map(
        html=html,
        svg=_draw(areas, limit, classes, legend_title),
        alt=_words(areas, classes, title, area_label),
        caption=title,
        note=left_out,
    )


def class_breaks(counts: Sequence[int], most: int = 5) -> list[Class]:
    """Part counts into at most ``most`` classes of about as many areas, zero apart.

    Breaks are quantiles of the counts above zero, and only values that occur, so no class is
    empty; equal counts are in one class. Net counts below zero join the class of zero.

    Returns
    -------
    list of Class
        From low to high; the zero class only where some area has none.
    """
    positive = sorted(count for count in counts if count > 0)
    none = [count for count in counts if count <= 0]
    classes = [Class(min(none), 0, ZERO)] if none else []
    if not positive:
        return classes
    parts = min(most, len(set(positive)))
    uppers = sorted(
        {positive[math.ceil(len(positive) * k / parts) - 1] for k in range(1, parts + 1)}
    )
    # The few classes take the palette's ends first, so that high always looks high.
    step = (len(PALETTE) - 1) / max(1, len(uppers) - 1)
    low = positive[0]
    for number, upper in enumerate(uppers):
        color = PALETTE[round(number * step)] if len(uppers) > 1 else PALETTE[2]
        classes.append(Class(low, upper, color))
        low = next((count for count in positive if count > upper), upper)
    return classes


def _class_of(value: int, classes: Sequence[Class]) -> Class:
    return next(c for c in classes if value <= c.high)


def _prepared(areas: "gpd.GeoDataFrame", title: str) -> tuple["gpd.GeoDataFrame", Any]:
    """Check the areas and give them simplified, in meters."""
    import shapely

    missing = [name for name in AREA_COLUMNS if name not in areas.columns]
    if missing:
        raise InvalidInput(f"Map {title!r}: the areas lack {formatting.listed(missing)}")
    if areas.empty:
        raise InvalidInput(f"Map {title!r}: there is no area to draw")
    if areas.crs is None:
        raise InvalidInput(f"Map {title!r}: the areas have no CRS; set it where they are read")
    blank = areas.geometry.isna() | areas.geometry.is_empty
    if blank.any():
        names = formatting.listed([str(name) for name in areas.loc[blank, "name"]])
        raise InvalidInput(f"Map {title!r}: without a boundary, yet with a count: {names}")
    counts = areas["incidents"]
    if counts.isna().any() or (counts.astype("float64") % 1 != 0).any():
        raise InvalidInput(f"Map {title!r}: each area's incidents must be a whole number")
    columns = {name: areas[name].to_numpy() for name in AREA_COLUMNS[:2]}
    areas = type(areas)(
        columns | {"incidents": counts.astype("int64").to_numpy()},
        geometry=areas.geometry.to_numpy(),
        crs=areas.crs,
    )
    metric = areas.estimate_utm_crs()
    areas = areas.to_crs(metric).reset_index(drop=True)
    valid = areas.geometry.make_valid()
    tolerance = TOLERANCE_M
    while True:
        simple = shapely.coverage_simplify(valid.to_numpy(), tolerance)
        if shapely.get_num_coordinates(simple).sum() <= _MAX_VERTICES:
            break
        tolerance *= 2
    areas["geometry"] = simple
    return areas, metric


def _draw(
    areas: "gpd.GeoDataFrame",
    outline: "gpd.GeoDataFrame | None",
    classes: Sequence[Class],
    legend_title: str,
) -> str:
    from matplotlib.patches import Patch

    with svg.style():
        west, south, east, north = _bounds(areas, outline)
        height = 5.4
        map_width = min(6.2, max(2.4, height * (east - west) / (north - south)))
        figure = svg.new_figure(map_width + 2.5, height)
        share = map_width / (map_width + 2.5)
        axes = figure.add_axes((0, 0, share, 1))
        areas.plot(ax=axes, color=areas["color"], edgecolor="#7d8b99", linewidth=0.4)
        if outline is not None:
            outline.boundary.plot(ax=axes, color=svg.INK, linewidth=0.9)
        ranked = _ranked(areas)
        for number, row in enumerate(ranked, 1):
            point = row["geometry"].representative_point()
            axes.annotate(
                str(number), (point.x, point.y), ha="center", va="center", fontsize=6.5,
                weight="bold",
                bbox={"boxstyle": "circle,pad=0.22", "fc": "white", "ec": svg.INK, "lw": 0.6},
            )  # fmt: skip
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        axes.set_aspect("equal", anchor="C")
        axes.set_axis_off()

        side = figure.add_axes((share, 0, 1 - share, 1))
        side.set_axis_off()
        side.set_xlim(0, 2.5)
        side.set_ylim(0, height)
        handles = [
            Patch(facecolor=c.color, edgecolor="#7d8b99", linewidth=0.6, label=c.label)
            for c in classes
        ]
        legend = side.legend(
            handles=handles, title=legend_title, loc="upper left", frameon=False, borderpad=0,
            alignment="left", bbox_to_anchor=(0.06, 0.97), fontsize=8, title_fontsize=8.5,
            labelspacing=0.45, borderaxespad=0,
        )  # fmt: skip
        legend.get_title().set_fontweight("bold")
        figure.draw_without_rendering()
        bottom = legend.get_window_extent().y0 / figure.dpi
        _rank_list(side, ranked, bottom - 0.3)
        _scale_bar(side, (east - west) / map_width, 0.15, 0.3)
        _north_arrow(side, 2.2, 0.28)
        return svg.to_svg(figure)


def _bounds(
    areas: "gpd.GeoDataFrame", outline: "gpd.GeoDataFrame | None"
) -> tuple[float, float, float, float]:
    frames = [areas] if outline is None else [areas, outline]
    edges = [frame.total_bounds for frame in frames]
    west, south = (min(edge[i] for edge in edges) for i in (0, 1))
    east, north = (max(edge[i] for edge in edges) for i in (2, 3))
    margin = 0.02 * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _ranked(areas: "pd.DataFrame") -> list[dict[Any, Any]]:
    """The areas with most incidents, none without any; ties in the areas' own order."""
    ranked = areas[areas["incidents"] > 0].sort_values("incidents", ascending=False, kind="stable")
    return ranked.head(_NAMED).to_dict("records")


def _rank_list(axes: Any, ranked: Sequence[dict[Any, Any]], top: float) -> None:
    if not ranked:
        return
    axes.text(0.15, top, "Most incidents", weight="bold", fontsize=8.5, va="top")
    for number, row in enumerate(ranked, 1):
        name = str(row["name"])
        name = name if len(name) <= 24 else f"{name[:23].rstrip()}…"
        y = top - 0.05 - 0.19 * number
        axes.text(0.15, y, f"{number}", fontsize=7.5, va="top", weight="bold")
        # parse_math off: a name with dollar signs is a name, not a formula.
        axes.text(0.33, y, name, fontsize=7.5, va="top", parse_math=False)
        axes.text(2.4, y, formatting.count(row["incidents"]), fontsize=7.5, va="top", ha="right")


def _scale_bar(axes: Any, meters_per_inch: float, x: float, y: float) -> None:
    """Draw a bar of a round number of miles, at most an inch and a half long."""
    longest = 1.5 * meters_per_inch / _MILE_M
    miles = max(
        (size for size in (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50) if size <= longest), default=0.1
    )
    length = miles * _MILE_M / meters_per_inch
    axes.plot([x, x, x + length, x + length], [y + 0.06, y, y, y + 0.06], color=svg.INK, lw=0.9)
    words = f"{miles:g} {'mile' if miles == 1 else 'miles'} ({miles * 1.609344:.1f} km)"
    axes.text(x, y + 0.1, words, fontsize=7, va="bottom")


def _north_arrow(axes: Any, x: float, y: float) -> None:
    axes.annotate(
        "", (x, y + 0.42), (x, y), arrowprops={"arrowstyle": "-|>", "color": svg.INK, "lw": 1.0}
    )
    axes.text(x, y + 0.44, "N", fontsize=8, weight="bold", ha="center", va="bottom")


def _words(areas: "gpd.GeoDataFrame", classes: Sequence[Class], title: str, area_label: str) -> str:
    total = int(areas["incidents"].sum())
    none = int((areas["incidents"] <= 0).sum())
    ranked = [f"{row['name']} ({formatting.count(row['incidents'])})" for row in _ranked(areas)]
    words = [
        f"{title}: map of {formatting.counted(len(areas), 'area')} (each one {area_label}), "
        f"{formatting.counted(total, 'incident')} in all."
    ]
    if ranked:
        words.append(f"Most incidents: {formatting.listed(ranked)}.")
    if none:
        words.append(f"{formatting.counted(none, 'area')} with none.")
    words.append(f"Classes: {formatting.listed([c.label for c in classes])}.")
    return " ".join(words)
