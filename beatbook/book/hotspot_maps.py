"""Maps of hotspot layers: to be switched and asked on the screen, and read on paper."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from beatbook.book import formatting, svg
from beatbook.book.blocks import Map
from beatbook.book.hotspot_cells import (
    Around,
    around_range,
    check_layers,
    check_zones,
    drawn,
    layer_frames,
    layer_notes,
    phrases,
)
from beatbook.book.hotspot_page import (
    COLD,
    COLD_EDGE,
    HOT,
    HOT_EDGE,
    PLAIN,
    PLAIN_EDGE,
    ZONE,
    Legend,
    Pieces,
    hotspot_page,
)
from beatbook.book.map_cut import MapCut
from beatbook.book.maps import TOLERANCE_M, _bounds, _north_arrow, _scale_bar
from beatbook.errors import InvalidInput
from beatbook.hotspots.weekly import FALSE_DISCOVERY_RATE

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["hotspot_map", "layer_frames"]

# Base lines on the screen; above this many vertices in all the tolerance is doubled.
_MAX_VERTICES = 12_000
_NAMED = 5
# Color and line of the first kind of base area, and of the others.
_AREA_STYLES: tuple[tuple[str, Any], ...] = (("#7d8b99", "-"), (svg.INK, (0, (5, 2))))
_SIDE = 2.5  # inches, the column of the legend


def hotspot_map(
    layers: Mapping[str, "gpd.GeoDataFrame"],
    outline: "gpd.GeoDataFrame | None",
    areas: Mapping[str, "gpd.GeoDataFrame"],
    zones: "gpd.GeoDataFrame | None",
    title: str,
    small_cell_limit: int,
    left_out: str,
    false_discovery_rate: float = FALSE_DISCOVERY_RATE,
    within: "gpd.GeoDataFrame | None" = None,
) -> Map:
    """Map hotspot layers: a page on which they are switched, and a picture of the first.

    Parameters
    ----------
    layers : dict of str to GeoDataFrame
        By name ("Burglary, 28 days"), the first shown at first and the only one on paper; see
        :func:`layer_frames`. One row a cell of the grid, **all** cells, also those with none:
        ``cell`` (name), ``incidents`` (net, whole), ``around`` (net, in the cell and its
        neighbors), ``expected_around``, ``q``, ``class`` (hot, cold, not significant, not
        tested), ``pattern`` ("" for none), ``cells_tested``, clipped polygons in meters. ``start``,
        ``end`` and ``share_left_out``, where present, are printed in the layer's legend; other
        columns are not read.
    outline : GeoDataFrame or None
        The department's limit; any CRS.
    areas : dict of str to GeoDataFrame
        Base areas by label ("Neighborhood", "District"): ``code``, ``name``, polygons in any CRS.
        The first is switched on at first, thin; the others are dashed. May be empty.
    zones : GeoDataFrame or None
        Near-repeat zones: ``offense``, ``outer_m``, ``opens``, ``closes``, ``ratio``, polygons in
        meters; ``inner_m`` is told where present. See :func:`beatbook.hotspots.zones.zone_frame`.
    title : str
        The map's caption.
    small_cell_limit : int
        The department's. A count of 1 up to below it is told as "fewer than 3 offenses", and a
        sum of a cell and its neighbors that holds such a count as the range that follows from
        the printed counts: else a reader could subtract. The page's file holds no more.
    left_out : str
        The share of incidents that the map cannot show, printed below it.
    false_discovery_rate : float
        At which the cells were classed, for the legend.
    within : GeoDataFrame or None
        Show this ground only (a precinct's): cells, zones and base areas that share ground with
        it, the areas cut at its border. Cells are classed by the whole grid all the same, and
        the legend counts those shown.

    Returns
    -------
    Map
        Cells are drawn that are hot, cold, or hold ``small_cell_limit`` incidents or more. Hot
        and cold differ by tone, by a whole or broken edge and by hatching. The page has no tiles
        and loads nothing; layers are radio buttons, base areas and zones check boxes, and the
        arrow keys go from cell to cell. Names of areas are written where they fit.

    Raises
    ------
    InvalidInput
        Where there is no layer or no cell; a column, polygon or number is missing; a CRS is
        missing or in degrees; layers differ in CRS; a class is unknown; or a layer or zone is of
        a sex offense, which is never shown below the neighborhood.
    """
    check_layers(layers, title)
    first_name, first = next(iter(layers.items()))
    crs = first.crs
    if zones is not None:
        check_zones(zones, title)
        zones = zones.to_crs(crs) if len(zones) else None
    areas = {label: _area_lines(frame, label, title, crs) for label, frame in areas.items()}
    cut = None if within is None else MapCut(within, crs, title)
    if cut is not None:
        layers, zones = cut.nearby(layers), cut.zones(zones)
        areas = cut.areas(areas)
    limit = None
    if outline is not None:
        if outline.crs is None:
            raise InvalidInput(f"Map {title!r}: the outline has no CRS")
        limit = outline[["geometry"]].to_crs(crs)
        limit["geometry"] = limit.simplify(TOLERANCE_M)
    rate = false_discovery_rate
    chosen, said, legends = {}, {}, {}
    shown = layers if cut is None else cut.shown(layers)
    first = shown[first_name]
    for name, layer in layers.items():
        legends[name] = _legend(name, shown[name], small_cell_limit, rate, left_out)
        kept = drawn(layer, small_cell_limit)
        if cut is not None:
            kept = kept[cut.holds(layer)[kept]]
        around = Around(*(bound[kept] for bound in around_range(layer, small_cell_limit)))
        chosen[name] = layer.iloc[kept]
        said[name] = phrases(chosen[name], around, small_cell_limit, rate)
    framed = limit if limit is not None else first
    west, south, east, north = (float(x) for x in framed.to_crs("EPSG:4326").total_bounds)
    html = hotspot_page(
        Pieces(chosen, said, legends, (west, south, east, north), limit, areas, zones), title
    )
    hot_areas = _hot_areas(chosen[first_name], areas)
    return Map(
        html=html,
        svg=_draw(
            chosen[first_name], _bounds(first, limit), limit, areas, zones,
            legends[first_name], hot_areas,
        ),
        alt=_words(title, first_name, shown, zones, rate, hot_areas),
        caption=title,
        note=left_out,
    )  # fmt: skip


def _area_lines(areas: "gpd.GeoDataFrame", label: str, title: str, crs: Any) -> "gpd.GeoDataFrame":
    """Check base areas and simplify them with their borders shared."""
    import shapely

    missing = [name for name in ("code", "name") if name not in areas.columns]
    if missing:
        raise InvalidInput(f"Map {title!r}: {label} lacks {formatting.listed(missing)}")
    if areas.crs is None:
        raise InvalidInput(f"Map {title!r}: {label} has no CRS; set it where it is read")
    known = areas[~(areas.geometry.isna() | areas.geometry.is_empty)]
    known = known[["code", "name", "geometry"]].to_crs(crs).reset_index(drop=True)
    valid = known.geometry.make_valid().to_numpy()
    tolerance = TOLERANCE_M
    while True:
        simple = shapely.coverage_simplify(valid, tolerance)
        if shapely.get_num_coordinates(simple).sum() <= _MAX_VERTICES:
            break
        tolerance *= 2
    known["geometry"] = simple
    return known


def _class_count(layer: "gpd.GeoDataFrame", class_: str) -> int:
    return int((layer["class"] == class_).sum())


def _legend(
    name: str, layer: "gpd.GeoDataFrame", small_cell_limit: int, rate: float, left_out: str
) -> Legend:
    hot, cold = _class_count(layer, "hot"), _class_count(layer, "cold")
    least = max(small_cell_limit, 1)
    return Legend(
        name,
        f"Hot: above an even spread ({formatting.counted(hot, 'cell')})",
        f"Cold: below an even spread ({formatting.counted(cold, 'cell')})",
        f"Not significant, {least} or more offenses"
        if least > 1
        else "Not significant, with offenses",
        layer_notes(layer, rate, left_out),
    )


def _hot_areas(
    cells: "gpd.GeoDataFrame", areas: Mapping[str, "gpd.GeoDataFrame"]
) -> list[tuple[str, int, Any]]:
    """The first kind's areas with most hot cells (by the cell's middle): name, cells, a point."""
    import shapely

    hot = cells[cells["class"] == "hot"]
    if not areas or hot.empty:
        return []
    frame = next(iter(areas.values()))
    middles = hot.geometry.representative_point().to_numpy()
    cell, area = shapely.STRtree(frame.geometry.to_numpy()).query(middles, "intersects")
    _, first = np.unique(cell, return_index=True)
    counts = np.bincount(area[first], minlength=len(frame))
    order = np.argsort(-counts, kind="stable")[:_NAMED]
    found = []
    for number in order[counts[order] > 0]:
        within = middles[cell[first][area[first] == number]]
        # At the hot cell nearest to their common middle: the number must lie on what it counts.
        center = shapely.centroid(shapely.multipoints(within))
        nearest = within[int(np.argmin(shapely.distance(within, center)))]
        found.append((str(frame["name"].iloc[number]), int(counts[number]), nearest))
    return found


def _draw(
    cells: "gpd.GeoDataFrame",
    bounds: tuple[float, float, float, float],
    outline: "gpd.GeoDataFrame | None",
    areas: Mapping[str, "gpd.GeoDataFrame"],
    zones: "gpd.GeoDataFrame | None",
    legend: Legend,
    hot_areas: list[tuple[str, int, Any]],
) -> str:
    with svg.style():
        west, south, east, north = bounds
        height = 5.4
        map_width = min(6.2, max(2.4, height * (east - west) / (north - south)))
        figure = svg.new_figure(map_width + _SIDE, height)
        share = map_width / (map_width + _SIDE)
        axes = figure.add_axes((0, 0, share, 1))
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        axes.set_aspect("equal", anchor="C")
        axes.set_axis_off()
        _draw_cells(axes, cells)
        for number, frame in enumerate(areas.values()):
            color, style = _AREA_STYLES[min(number, 1)]
            frame.boundary.plot(
                ax=axes, color=color, linestyle=style, linewidth=0.5, zorder=3, aspect=None
            )
        if outline is not None:
            outline.boundary.plot(ax=axes, color=svg.INK, linewidth=0.9, zorder=4, aspect=None)
        if zones is not None:
            # Hundreds of zones overlap: on paper only where any is open, not which.
            around = _filled(zones)
            around.boundary.plot(ax=axes, color=ZONE, linewidth=0.5, zorder=5, aspect=None)
        for number, (_, _, point) in enumerate(hot_areas, 1):
            axes.annotate(
                str(number), (point.x, point.y), ha="center", va="center", fontsize=6,
                weight="bold", zorder=6,
                bbox={"boxstyle": "circle,pad=0.2", "fc": "white", "ec": svg.INK, "lw": 0.6},
            )  # fmt: skip

        side = figure.add_axes((share, 0, 1 - share, 1))
        side.set_axis_off()
        side.set_xlim(0, _SIDE)
        side.set_ylim(0, height)
        bottom = _draw_legend(figure, side, legend, list(areas), zones is not None)
        _hot_list(side, hot_areas, next(iter(areas), ""), bottom - 0.15)
        meters_per_inch = max((east - west) / map_width, (north - south) / height)
        _scale_bar(side, meters_per_inch, 0.15, 0.3)
        _north_arrow(side, 2.2, 0.28)
        return svg.to_svg(figure)


def _filled(zones: "gpd.GeoDataFrame") -> "gpd.GeoSeries":
    """Merge zones and fill their holes."""
    import geopandas as gpd
    import shapely

    parts = shapely.get_parts(shapely.union_all(zones.geometry.to_numpy()))
    whole = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(parts)))
    return gpd.GeoSeries([whole], crs=zones.crs)


def _draw_cells(axes: Any, cells: "gpd.GeoDataFrame") -> None:
    styles: dict[str, dict[str, Any]] = {
        "": {"facecolor": PLAIN, "edgecolor": PLAIN_EDGE, "linewidth": 0.2},
        "cold": {
            "facecolor": COLD, "edgecolor": COLD_EDGE, "linewidth": 0.5, "hatch": "//////",
            "linestyle": (0, (2, 1)),
        },
        "hot": {"facecolor": HOT, "edgecolor": HOT_EDGE, "linewidth": 0.6},
    }  # fmt: skip
    drawn_as = cells["class"].where(cells["class"].isin(["hot", "cold"]), "")
    for class_, style in styles.items():
        part = cells[drawn_as == class_]
        if len(part):
            part.plot(ax=axes, zorder=2, aspect=None, **style)


def _draw_legend(
    figure: Any, side: Any, legend: Legend, area_labels: list[str], zones: bool
) -> float:
    """Draw the legend and its notes; give the height at which they end, in inches."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=HOT, edgecolor=HOT_EDGE, linewidth=0.8, label=_lines(legend.hot)),
        Patch(
            facecolor=COLD, edgecolor=COLD_EDGE, linewidth=0.6, hatch="//////",
            linestyle=(0, (2, 1)), label=_lines(legend.cold),
        ),
        Patch(facecolor=PLAIN, edgecolor=PLAIN_EDGE, linewidth=0.4, label=_lines(legend.plain)),
    ]  # fmt: skip
    if zones:
        label = "Near repeats: risk raised"
        handles.append(Patch(fill=False, edgecolor=ZONE, linewidth=0.8, label=_lines(label)))
    for number, label in enumerate(area_labels):
        color, style = _AREA_STYLES[min(number, 1)]
        handles.append(
            Line2D([], [], color=color, linewidth=0.7, linestyle=style, label=_lines(label))
        )
    key = side.legend(
        handles=handles, title=_lines(legend.title), loc="upper left", frameon=False, borderpad=0,
        alignment="left", bbox_to_anchor=(0.06, 0.985), fontsize=7.5, title_fontsize=8.5,
        labelspacing=0.5, borderaxespad=0, handlelength=1.6, handletextpad=0.6,
    )  # fmt: skip
    key.get_title().set_fontweight("bold")
    for text in (key.get_title(), *key.get_texts()):
        # A name with dollar signs is a name, not a formula.
        text.set_parse_math(False)
    figure.draw_without_rendering()
    top = key.get_window_extent().y0 / figure.dpi - 0.12
    words = "\n".join(_lines(note, 46) for note in legend.notes)
    notes = side.text(
        0.15, top, words, fontsize=7, va="top", color=svg.MUTED, linespacing=1.35, parse_math=False
    )
    return float(notes.get_window_extent().y0 / figure.dpi)


def _lines(text: str, width: int = 28) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def _hot_list(axes: Any, hot_areas: list[tuple[str, int, Any]], label: str, top: float) -> None:
    """List the numbered areas, those that fit above the scale bar."""
    if not hot_areas:
        return
    axes.text(
        0.15, top, f"Most hot cells, by {label.lower()}", weight="bold", fontsize=7.5, va="top",
        parse_math=False,
    )  # fmt: skip
    for number, (name, count, _) in enumerate(hot_areas, 1):
        short = name if len(name) <= 26 else f"{name[:25].rstrip()}…"
        y = top - 0.03 - 0.17 * number
        axes.text(0.15, y, f"{number}", fontsize=7, va="top", weight="bold")
        axes.text(0.33, y, short, fontsize=7, va="top", parse_math=False)
        axes.text(2.4, y, formatting.count(count), fontsize=7, va="top", ha="right")


def _words(
    title: str,
    name: str,
    layers: Mapping[str, "gpd.GeoDataFrame"],
    zones: "gpd.GeoDataFrame | None",
    rate: float,
    hot_areas: list[tuple[str, int, Any]],
) -> str:
    layer = layers[name]
    tested = formatting.counted(int(layer["cells_tested"].iloc[0]), "cell")
    words = [
        f"{title}: map of {name}. Of {tested} tested at {100 * rate:g} % false discoveries, "
        f"{_class_count(layer, 'hot'):,d} hot and {_class_count(layer, 'cold'):,d} cold."
    ]
    if hot_areas:
        named = [f"{area} ({count:,d})" for area, count, _ in hot_areas]
        words.append(f"Most hot cells: {formatting.listed(named)}.")
    if zones is not None:
        opened = [
            f"{o} ({int(n):,d})" for o, n in zones["offense"].value_counts(sort=False).items()
        ]
        words.append(f"Near-repeat zones: {formatting.listed(opened)}.")
    if len(layers) > 1:
        more = formatting.counted(len(layers) - 1, "more layer")
        words.append(f"{more} on the screen.")
    return " ".join(words)
