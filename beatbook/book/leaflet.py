"""The interactive map: a folium page whose Leaflet comes from an installed wheel, not a network."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beatbook.book.markup import data_address
from beatbook.errors import BookError

if TYPE_CHECKING:
    import geopandas as gpd

_STYLE = """
html, body { margin: 0; height: 100%; font: 14px/1.4 system-ui, "Segoe UI", Roboto, "Noto Sans",
  "Liberation Sans", Arial, sans-serif; color: #1d2733; }
.leaflet-container { background: #ffffff; font: inherit; }
.leaflet-container path:focus { outline: none; stroke: #1d2733; stroke-width: 4; }
.leaflet-tooltip { font-size: 14px; }
.key { position: absolute; z-index: 900; right: 10px; bottom: 10px; padding: 8px 12px;
  background: rgba(255,255,255,.95); border: 1px solid #c9d1da; }
.key p { margin: 0 0 4px; font-weight: 600; }
.key ul { margin: 0; padding: 0; list-style: none; }
.key i { display: inline-block; width: 18px; height: 13px; margin-right: 7px;
  border: 1px solid #7d8b99; vertical-align: -2px; }
"""

# Leaflet's areas are SVG paths that a keyboard cannot reach; this gives each a place in the tab
# order, a spoken name, and its tooltip on focus. A frame may have no size yet when its page is
# read, and takes another when the window does: the map is fitted again each time.
_BEHAVIOR = """
{% macro script(this, kwargs) %}
{{ this.layer.get_name() }}.eachLayer(function (area) {
  var path = area.getElement && area.getElement();
  if (!path) { return; }
  path.setAttribute("tabindex", "0");
  path.setAttribute("role", "img");
  path.setAttribute("aria-label", area.feature.properties.spoken);
  path.addEventListener("focus", function () { area.openTooltip(); });
  path.addEventListener("blur", function () { area.closeTooltip(); });
});
new ResizeObserver(function () {
  var map = {{ this._parent.get_name() }};
  var key = document.querySelector(".key");
  map.invalidateSize({animate: false});
  // The legend stands at the right: where there is room, no area lies under it.
  var beside = key && map.getSize().x > 2 * key.offsetWidth ? key.offsetWidth + 22 : 12;
  map.fitBounds({{ this.bounds | tojson }}, {
    paddingTopLeft: [12, 12], paddingBottomRight: [beside, 12], animate: false
  });
}).observe({{ this._parent.get_name() }}.getContainer());
{% endmacro %}
"""


def interactive_map(
    areas: "gpd.GeoDataFrame",
    outline: "gpd.GeoDataFrame | None",
    legend: Sequence[tuple[str, str]],
    legend_title: str,
    title: str,
) -> str:
    """Make a folium page that loads nothing: no tiles, Leaflet and its images inlined.

    Parameters
    ----------
    areas : GeoDataFrame
        Longitude and latitude (EPSG:4326), simplified; ``words`` (tooltip and spoken name) and
        ``color`` (fill).
    outline : GeoDataFrame or None
        EPSG:4326; drawn as a line over the areas.
    legend : list of (str, str)
        Color and label of each class.
    legend_title, title : str
        Above the legend; of the page.

    Returns
    -------
    str
        A whole HTML page, the same for the same areas: folium's random ids are numbered anew.
    """
    import folium
    from branca.element import Element, MacroElement
    from jinja2 import Template

    west, south, east, north = (float(edge) for edge in areas.total_bounds)
    page = folium.Map(tiles=None, zoom_snap=0, zoom_delta=0.5, attribution_control=False)
    page.default_js, page.default_css = [], []
    head = page.get_root().header  # type: ignore[attr-defined]
    head.add_child(Element(f"<title>{escape(title)}</title>"), name="title", index=0)
    head.add_child(Element(_verbatim(f"<script>{leaflet_script()}</script>")), name="leaflet")
    style = f"<style>{leaflet_style()}{_STYLE}</style>"
    head.add_child(Element(_verbatim(style)), name="leaflet_style")

    layer = folium.GeoJson(
        _features(areas),
        style_function=_style_of,
        highlight_function=lambda _: {"weight": 3, "color": "#1d2733"},
        tooltip=folium.GeoJsonTooltip(fields=["words"], labels=False, sticky=False),
        name="areas",
    )
    layer.add_to(page)
    if outline is not None:
        folium.GeoJson(
            {"type": "FeatureCollection", "features": _outline_features(outline)},
            style_function=lambda _: {"fill": False, "color": "#1d2733", "weight": 1.5},
            interactive=False,
            name="outline",
        ).add_to(page)
    behavior = MacroElement()
    behavior._template = Template(_BEHAVIOR)
    behavior.layer = layer  # type: ignore[attr-defined]
    behavior.bounds = [[south, west], [north, east]]  # type: ignore[attr-defined]
    page.add_child(behavior)
    body = page.get_root().html  # type: ignore[attr-defined]
    body.add_child(Element(_verbatim(_key(legend, legend_title))), name="key")
    html = str(page.get_root().render())
    # A map that forbids to enlarge it shuts out those who must.
    html = re.sub(r",\s*maximum-scale=1\.0,\s*user-scalable=no", "", html)
    return _numbered(html)


def leaflet_script() -> str:
    """Give Leaflet's script from the XStatic-Leaflet wheel, without its pointer to a source map."""
    text = (_leaflet_folder() / "leaflet.js").read_text(encoding="utf-8")
    return re.sub(r"//# sourceMappingURL=\S+", "", text).strip()


def leaflet_style() -> str:
    """Give Leaflet's style with each image it names put into a ``data:`` address."""
    folder = _leaflet_folder()
    text = (folder / "leaflet.css").read_text(encoding="utf-8")

    def inlined(match: re.Match[str]) -> str:
        return f"url({data_address((folder / match[1]).read_bytes(), 'image/png')})"

    text = re.sub(r"url\([\"']?(images/[\w.-]+)[\"']?\)", inlined, text)
    # For Internet Explorer 8: not a file, but it would read as one.
    return re.sub(r"behavior:\s*url\([^)]*\);", "", text)


def _leaflet_folder() -> Path:
    try:
        import xstatic.pkg.leaflet as leaflet
    except ModuleNotFoundError:
        raise BookError(
            "Leaflet is not installed, so no interactive map can be made: "
            "install the XStatic-Leaflet package of requirements.lock"
        ) from None
    return Path(leaflet.BASE_DIR)


def _verbatim(text: str) -> str:
    # branca reads what it is given as a jinja template; a raw block keeps braces as they are.
    return "{% raw %}" + text.replace("{% endraw", "{ % endraw") + "{% endraw %}"


def _style_of(feature: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fillColor": feature["properties"]["color"],
        "fillOpacity": 1,
        "color": "#7d8b99",
        "weight": 0.8,
    }


def _features(areas: "gpd.GeoDataFrame") -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "id": str(number),
            # Leaflet writes a tooltip's text as HTML: escaped here, for names come from a file.
            "properties": {"words": escape(words), "spoken": words, "color": color},
            "geometry": _rounded(geometry.__geo_interface__),
        }
        for number, (words, color, geometry) in enumerate(
            zip(areas["words"], areas["color"], areas.geometry, strict=True)
        )
    ]
    return {"type": "FeatureCollection", "features": features}


def _outline_features(outline: "gpd.GeoDataFrame") -> list[dict[str, Any]]:
    return [
        {
            "type": "Feature",
            "id": f"outline-{number}",
            "properties": {},
            "geometry": _rounded(geometry.__geo_interface__),
        }
        for number, geometry in enumerate(outline.geometry)
    ]


def _rounded(value: Any) -> Any:
    """Round coordinates to 1e-5 degrees, about a meter: finer than the simplification."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(value, 5) if isinstance(value, float) else value


def _key(legend: Sequence[tuple[str, str]], title: str) -> str:
    rows = "".join(
        f'<li><i style="background:{color}"></i>{escape(label)}</li>' for color, label in legend
    )
    return f'<div class="key"><p>{escape(title)}</p><ul>{rows}</ul></div>'


def _numbered(html: str) -> str:
    """Finish folium's page: say its language, and number its random 32-digit ids.

    Numbered, the same map is the same text.
    """
    html = html.replace("<html>", '<html lang="en">', 1)
    known: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return known.setdefault(match[0], f"{len(known) + 1}")

    return re.sub(r"(?<=_)[0-9a-f]{32}(?![0-9a-f])", number, html)
