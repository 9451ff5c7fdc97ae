"""The interactive hotspot map: one page, its layers sharing cells and phrases, loading nothing."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from beatbook.book import hotspot_cells, svg
from beatbook.book.leaflet import _STYLE, _numbered, _verbatim, leaflet_script, leaflet_style

if TYPE_CHECKING:
    import geopandas as gpd

#: Fill and edge of a class. Hot and cold are told apart by tone, by the edge (whole or broken)
#: and by hatching too: color alone would fail many readers, and a gray printer.
HOT, HOT_EDGE = "#e8743b", "#8a2c02"
COLD, COLD_EDGE = "#8fc1e3", "#0b3c66"
PLAIN, PLAIN_EDGE = "#d5dae0", "#a9b2bc"
ZONE = "#5b2a86"

_BEHAVIOR = Path(__file__).parent / "template" / "hotspot_map.js"

_STEP = 1e-5  # degrees, about a meter: finer than a simplified border

_STYLES: dict[str, dict[str, Any]] = {
    "hot": {"fillColor": HOT, "fillOpacity": 0.85, "color": HOT_EDGE, "weight": 1.6},
    "cold": {
        "fillColor": "url(#cold)",
        "fillOpacity": 1,
        "color": COLD_EDGE,
        "weight": 1.2,
        "dashArray": "4 3",
    },
    "plain": {"fillColor": PLAIN, "fillOpacity": 0.8, "color": PLAIN_EDGE, "weight": 0.6},
    "zone": {"fillColor": ZONE, "fillOpacity": 0.12, "color": ZONE, "weight": 1.1},
    "ground": {"fillColor": "#ffffff", "fillOpacity": 0, "stroke": False, "weight": 0},
    "outline": {"fill": False, "color": svg.INK, "weight": 1.8, "interactive": False},
}
_AREA_LINES: tuple[dict[str, Any], ...] = (
    {"fill": False, "color": "#7d8b99", "weight": 0.8, "interactive": False},
    {"fill": False, "color": svg.INK, "weight": 1.4, "dashArray": "6 3", "interactive": False},
)

_PAGE_STYLE = """
body { display: flex; }
.folium-map { flex: 1; width: auto !important; left: 0 !important; }
.side { flex: none; width: 300px; height: 100%; overflow-y: auto; box-sizing: border-box;
  padding: 10px 12px; border-right: 1px solid #c9d1da; font-size: 12.5px; line-height: 1.4; }
.key { position: static; padding: 0 0 6px; border: 0; }
.key li { display: flex; margin: 0 0 3px; }
.key i { flex: none; margin-top: 2px; }
.key .note { margin: 0; font-weight: 400; }
.side .leaflet-control-layers { box-shadow: none; border: 0; border-top: 1px solid #c9d1da;
  border-radius: 0; padding: 6px 0 0; margin: 0; font: inherit; line-height: 1.5; }
.side .leaflet-control-layers-list { margin: 0; padding: 0; }
.side .leaflet-control-layers label { font-size: 1em; }
.side .leaflet-control-layers-separator { margin: 5px 0; }
.leaflet-tooltip.words { white-space: normal; width: max-content; max-width: 320px; }
.leaflet-tooltip.name { padding: 0; border: 0; background: none; box-shadow: none; color: #3c4855;
  font-size: 11px; text-shadow: 0 0 2px #fff, 0 0 2px #fff, 0 0 3px #fff; }
.leaflet-tooltip.name::before { display: none; }
@media (max-width: 700px) {
  body { flex-direction: column-reverse; }
  .folium-map { height: auto !important; width: 100% !important; }
  .side { width: 100%; height: 42%; border-right: 0; border-top: 1px solid #c9d1da; }
  .leaflet-tooltip.words { max-width: 170px; font-size: 12px; } }
@media (forced-colors: active) { .key i, .leaflet-container path { forced-color-adjust: none; } }
"""

_HATCH = (
    '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
    '<pattern id="cold" width="7" height="7" patternUnits="userSpaceOnUse" '
    f'patternTransform="rotate(45)"><rect width="7" height="7" fill="{COLD}"/>'
    f'<path d="M0 0V7" stroke="{COLD_EDGE}" stroke-width="1"/></pattern></defs></svg>'
)

_SCRIPT = """
{% macro script(this, kwargs) %}
drawHotspots({{ this._parent.get_name() }}, {{ this.data }});
{% endmacro %}
"""


class Legend(NamedTuple):
    """A layer's lines of the legend: one a class ("" for a class that is not drawn), then notes.

    The two strong classes are called hot and cold after the map they were made for; another map
    gives them its own words.
    """

    title: str
    hot: str
    cold: str
    plain: str
    notes: Sequence[str]


class Pieces(NamedTuple):
    """All that a page is made of, checked: of each layer the cells drawn, and a tuple of phrases
    for each of them.

    ``unit`` is the word before a cell's name; where it is not Cell, the polygons are areas that
    go by their own name, and are not placed in others.
    """

    layers: Mapping[str, "gpd.GeoDataFrame"]
    phrases: Mapping[str, Sequence[tuple[str, ...]]]
    legends: Mapping[str, Legend]
    bounds: tuple[float, float, float, float]
    outline: "gpd.GeoDataFrame | None"
    areas: Mapping[str, "gpd.GeoDataFrame"]
    zones: "gpd.GeoDataFrame | None"
    unit: str = "Cell"


def hotspot_page(pieces: Pieces, title: str) -> str:
    """Make the page; the same bytes for the same pieces.

    Only cells drawn in some layer are in it, each once, and no count below the small-cell limit:
    what the tooltips may not say is not in the file.
    """
    import folium
    from branca.element import Element, MacroElement
    from jinja2 import Template

    data = _payload(pieces)
    page = folium.Map(tiles=None, zoom_snap=0, zoom_delta=0.5, attribution_control=False)
    page.default_js, page.default_css = [], []
    root: Any = page.get_root()
    behavior_code = _BEHAVIOR.read_text(encoding="utf-8")
    style = f"<style>{leaflet_style()}{_STYLE}{_PAGE_STYLE}</style>"
    root.header.add_child(Element(f"<title>{escape(title)}</title>"), name="title", index=0)
    for name, text in {
        "leaflet": f"<script>{leaflet_script()}</script>",
        "leaflet_style": style,
        "behavior": f"<script>{behavior_code}</script>",
    }.items():
        root.header.add_child(Element(_verbatim(text)), name=name)
    behavior: Any = MacroElement()
    behavior._template = Template(_SCRIPT)
    # A name must not close the script element that it is written into.
    behavior.data = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    page.add_child(behavior)
    key = _key(list(pieces.legends.values()), pieces.zones is not None)
    root.html.add_child(Element(_verbatim(_HATCH + key)), name="key")
    html = str(root.render())
    # A map that forbids to enlarge it shuts out those who must.
    html = re.sub(r",\s*maximum-scale=1\.0,\s*user-scalable=no", "", html)
    return _numbered(html)


def _payload(pieces: Pieces) -> dict[str, Any]:
    layers = pieces.layers
    cells: dict[str, Any] = {}
    for layer in layers.values():
        cells |= dict(zip(layer["cell"], layer.geometry, strict=True))
    crs = next(iter(layers.values())).crs
    west, south, east, north = pieces.bounds
    origin = (round(west / _STEP), round(south / _STEP))
    place = {name: number for number, name in enumerate(cells)}
    known: dict[str, int] = {}
    rows = {
        name: _rows(layer, pieces.phrases[name], place, known) for name, layer in layers.items()
    }
    places = _places(list(cells.values()), pieces.areas if pieces.unit == "Cell" else {})
    shapes = _encoded(list(cells.values()), crs, origin)
    return {
        "origin": origin,
        "bounds": [[round(south, 5), round(west, 5)], [round(north, 5), round(east, 5)]],
        "styles": _STYLES,
        "unit": pieces.unit,
        "cells": [
            {"name": str(name), "place": where, "shape": shape}
            for name, where, shape in zip(cells, places, shapes, strict=True)
        ],
        "phrases": list(known),
        "layers": [
            {"label": escape(name), "legend": _lines(pieces.legends[name]), "rows": rows[name]}
            for name in layers
        ],
        "areas": [
            {
                "label": escape(label),
                "names": [f"{label}: {name}" for name in frame["name"]],
                "short": [str(name) for name in frame["name"]],
                "line": _AREA_LINES[min(number, 1)],
                "shapes": _encoded(list(frame.geometry), frame.crs, origin),
            }
            for number, (label, frame) in enumerate(pieces.areas.items())
        ],
        "zones": _zones(pieces.zones, origin),
        "outline": []
        if pieces.outline is None
        else _encoded(list(pieces.outline.geometry), pieces.outline.crs, origin),
    }


def _rows(
    layer: "gpd.GeoDataFrame",
    phrases: Sequence[tuple[str, ...]],
    place: Mapping[str, int],
    known: dict[str, int],
) -> list[list[Any]]:
    """Give ``[cell, style, phrase, phrase, ...]`` a cell, in the layer's order."""
    rows = []
    for name, class_, words in zip(layer["cell"], layer["class"], phrases, strict=True):
        style = class_ if class_ in ("hot", "cold") else "plain"
        used = [known.setdefault(phrase, len(known)) for phrase in words if phrase]
        rows.append([place[name], style, *used])
    return rows


def _places(shapes: Sequence[Any], areas: Mapping[str, "gpd.GeoDataFrame"]) -> list[str]:
    """Say in which area of each kind a cell's middle lies: there are no streets to go by."""
    import shapely

    said = [""] * len(shapes)
    middles = shapely.point_on_surface(np.array(shapes, dtype=object))
    for label, frame in areas.items():
        tree = shapely.STRtree(frame.geometry.to_numpy())
        found: dict[int, int] = {}
        for cell, area in zip(*tree.query(middles, "intersects"), strict=True):
            found.setdefault(int(cell), int(area))
        for cell, area in found.items():
            said[cell] += f"; {label}: {frame['name'].iloc[area]}"
    return said


def _zones(zones: "gpd.GeoDataFrame | None", origin: tuple[int, int]) -> list[dict[str, Any]]:
    if zones is None:
        return []
    layers = []
    for offense in dict.fromkeys(zones["offense"]):
        part = zones[zones["offense"] == offense]
        # The small over the large, or they could not be reached; the latest end on top.
        order = np.lexsort((part["closes"].to_numpy(), -part["outer_m"].to_numpy()))
        part = part.iloc[order]
        words = [hotspot_cells.zone_words(zone) for zone in part.to_dict("records")]
        shapes = _encoded(list(part.geometry), part.crs, origin)
        layers.append(
            {"label": escape(f"Near repeats: {offense}"), "words": words, "shapes": shapes}
        )
    return layers


def _encoded(shapes: list[Any], crs: Any, origin: tuple[int, int]) -> list[list[list[list[int]]]]:
    """Write shapes as rings of whole steps from point to point, a fifth of GeoJSON's size."""
    import geopandas as gpd
    import shapely

    encoded = []
    for shape in gpd.GeoSeries(shapes, crs=crs).to_crs("EPSG:4326"):
        polygons = []
        for part in shapely.get_parts(shape):
            if part.geom_type != "Polygon":
                continue
            rings = [
                np.rint(shapely.get_coordinates(ring) / _STEP).astype(np.int64)[:-1]
                for ring in (part.exterior, *part.interiors)
            ]
            polygons.append(
                [np.diff(ring, axis=0, prepend=[origin]).ravel().tolist() for ring in rings]
            )
        encoded.append(polygons)
    return encoded


def _lines(legend: Legend) -> list[str]:
    return [legend.title, legend.hot, legend.cold, legend.plain, *legend.notes]


def _key(legends: Sequence[Legend], zones: bool) -> str:
    """Write the first layer's legend, with room for the notes of the one that has most."""
    title, hot, cold, plain, *notes = map(escape, _lines(legends[0]))
    notes += [""] * (max(len(legend.notes) for legend in legends) - len(notes))
    hatch = f"repeating-linear-gradient(45deg,{COLD_EDGE} 0 1.5px,{COLD} 1.5px 5px)"
    items = [
        (1, hot, f"background:{HOT};border:2px solid {HOT_EDGE}"),
        (2, cold, f"background:{hatch};border:2px dashed {COLD_EDGE}"),
        (3, plain, f"background:{PLAIN};border-color:{PLAIN_EDGE}"),
    ]
    rows = "".join(
        f'<li><i style="{style}"></i><span data-line="{number}">{words}</span></li>'
        for number, words, style in items
        if words
    )
    if zones:
        swatch = f'<i style="background:#ebe5f0;border:2px solid {ZONE}"></i>'
        rows += f"<li>{swatch}<span>Near repeats: risk raised</span></li>"
    below = "".join(
        f'<p class="note" data-line="{number}">{note}</p>' for number, note in enumerate(notes, 4)
    )
    return (
        '<div class="side"><div class="key" aria-live="polite">'
        f'<p data-line="0">{title}</p><ul>{rows}</ul>{below}</div></div>'
    )
