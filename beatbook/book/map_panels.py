"""A map for print with a panel a layer: the same city side by side, one legend below."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from beatbook.book import svg
from beatbook.book.hotspot_maps import _AREA_STYLES, _draw_cells, _lines
from beatbook.book.hotspot_page import COLD, COLD_EDGE, HOT, HOT_EDGE
from beatbook.book.maps import _north_arrow, _scale_bar

if TYPE_CHECKING:
    import geopandas as gpd

MOST_PANELS = 4

# Inches. Paper leaves a map 5.4 by 7.0; the foot holds legend and scale.
_WIDTH, _HEIGHT, _FOOT = 7.2, 5.3, 0.62
_GAP, _LINE = 0.1, 0.14


class Panel(NamedTuple):
    """One panel: its title, a line below it, and polygons with ``class`` hot or cold."""

    title: str
    words: str
    cells: "gpd.GeoDataFrame"


def draw_panels(
    panels: Sequence[Panel],
    bounds: tuple[float, float, float, float],
    outline: "gpd.GeoDataFrame | None",
    areas: Mapping[str, "gpd.GeoDataFrame"],
    hot: str,
    cold: str,
) -> str:
    """Draw up to four panels side by side as SVG.

    Parameters
    ----------
    panels : sequence of Panel
        One to ``MOST_PANELS``.
    bounds : tuple of float
        West, south, east, north of the ground, in meters.
    outline, areas
        The city's limit and base areas, in the same projected CRS; drawn as lines.
    hot, cold : str
        What the two classes are, for the legend; "" for one that is nowhere drawn. They differ
        by tone, by edge and by hatching.
    """
    with svg.style():
        west, south, east, north = bounds
        place = _arranged(panels, (north - south) / (east - west))
        rows = -(-len(panels) // place.across)
        whole = rows * (place.head + place.height) + _FOOT
        figure = svg.new_figure(_WIDTH, whole)
        meters = max((east - west) / place.width, (north - south) / place.height)
        for number, panel in enumerate(panels):
            row, column = divmod(number, place.across)
            left = column * _WIDTH / place.across
            top = whole - row * (place.head + place.height)
            axes = figure.add_axes(
                (left / _WIDTH, (top - place.head - place.height) / whole,
                 place.width / _WIDTH, place.height / whole)
            )  # fmt: skip
            axes.set_xlim(west, east)
            axes.set_ylim(south, north)
            axes.set_aspect("equal", anchor="C")
            axes.set_axis_off()
            _draw_cells(axes, panel.cells)
            _draw_lines(axes, outline, areas)
            title, words = _head(panel, place.width)
            heads: tuple[tuple[str, int, dict[str, Any]], ...] = (
                (title, 0, {"fontsize": 8, "weight": "bold"}),
                (words, title.count("\n") + 1, {"fontsize": 7, "color": svg.MUTED}),
            )
            for text, lines, style in heads:
                figure.text(
                    left / _WIDTH, (top - 0.04 - lines * _LINE) / whole, text, va="top",
                    linespacing=1.25, parse_math=False, **style,
                )  # fmt: skip
        foot = figure.add_axes((0, 0, 1, _FOOT / whole))
        foot.set_axis_off()
        foot.set_xlim(0, _WIDTH)
        foot.set_ylim(0, _FOOT)
        _draw_legend(foot, hot, cold, list(areas))
        _scale_bar(foot, meters, 0.1, 0.06)
        _north_arrow(foot, _WIDTH - 0.15, 0.0)
        return svg.to_svg(figure)


class _Place(NamedTuple):
    """How panels stand: how many in a row, the size of one, the height of the words above it."""

    across: int
    width: float
    height: float
    head: float


def _arranged(panels: Sequence[Panel], shape: float) -> _Place:
    """Choose the rows in which a city of this shape (height over width) is drawn largest."""
    places = []
    for rows in (1, 2):
        across = -(-len(panels) // rows)
        width = _WIDTH / across - _GAP
        words = [part.count("\n") + 1 for panel in panels for part in _head(panel, width)]
        lines = max(a + b for a, b in zip(words[::2], words[1::2], strict=True))
        head = lines * _LINE + 0.1
        height = min((_HEIGHT - _FOOT) / rows - head, width * shape)
        places.append(_Place(across, width, height, head))
        if len(panels) == 1:
            break
    # Of equals the first: one row.
    return max(places, key=lambda place: min(place.width, place.height / shape))


def _head(panel: Panel, width: float) -> tuple[str, str]:
    return _lines(panel.title, round(13.5 * width)), _lines(panel.words, round(17 * width))


def _draw_lines(
    axes: Any, outline: "gpd.GeoDataFrame | None", areas: Mapping[str, "gpd.GeoDataFrame"]
) -> None:
    for number, frame in enumerate(areas.values()):
        color, style = _AREA_STYLES[min(number, 1)]
        frame.boundary.plot(
            ax=axes, color=color, linestyle=style, linewidth=0.4, zorder=3, aspect=None
        )
    if outline is not None:
        outline.boundary.plot(ax=axes, color=svg.INK, linewidth=0.8, zorder=4, aspect=None)


def _draw_legend(foot: Any, hot: str, cold: str, area_labels: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    if hot:
        handles.append(Patch(facecolor=HOT, edgecolor=HOT_EDGE, linewidth=0.8, label=hot))
    if cold:
        handles.append(
            Patch(
                facecolor=COLD, edgecolor=COLD_EDGE, linewidth=0.6, hatch="//////",
                linestyle=(0, (2, 1)), label=cold,
            )
        )  # fmt: skip
    for number, label in enumerate(area_labels):
        color, style = _AREA_STYLES[min(number, 1)]
        handles.append(Line2D([], [], color=color, linewidth=0.7, linestyle=style, label=label))
    legend = foot.legend(
        handles=handles, loc="upper left", frameon=False, ncols=2, fontsize=7.5, borderpad=0,
        borderaxespad=0, bbox_to_anchor=(0.27, 0.98), handlelength=1.6, columnspacing=1.6,
        labelspacing=0.4,
    )  # fmt: skip
    for text in legend.get_texts():
        # A name with dollar signs is a name, not a formula.
        text.set_parse_math(False)
