"""Writing hotspot layers as files that other software opens: one function a format.

Each takes the same layers and description and knows no department. The description goes inside
every file, for a file travels without its folder.
"""

import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from pandas.api import types

About = Mapping[str, Any]
WGS84 = "EPSG:4326"
DEGREE_DIGITS = 7
"""A centimeter; more would be noise, and less would open gaps between cells."""

_DEGREES = "longitude and latitude, WGS 84; columns x and y are in the crs named here"

# Google Earth's colors are alpha, blue, green, red.
_COLORS = {"hot": "99262bd7", "cold": "99b5752c", "zone": "66277ffd", "other": "33999999"}


class Layer(NamedTuple):
    """One layer: its name, title, rows (a GeoDataFrame, or a plain table) and description."""

    name: str
    title: str
    frame: pd.DataFrame
    about: About

    @property
    def geographic(self) -> bool:
        """Whether its rows have a geometry."""
        return isinstance(self.frame, gpd.GeoDataFrame)


def write_gpkg(layers: Iterable[Layer], folder: Path) -> list[Path]:
    """Write one GeoPackage: a layer each, tables without geometry as attribute tables.

    The description is GeoPackage metadata of each layer (QGIS: layer properties, Metadata) and
    the table ``about`` (item, value), which any software opens. The date of last change is that
    of the description's ``as_of``, so the same layers give the same bytes.
    """
    import pyogrio

    path = folder / "hotspots.gpkg"
    options: dict[str, Any] = {"driver": "GPKG", "use_arrow": True}
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{_as_of(layers)}T00:00:00.000Z"})
    try:
        for layer in layers:
            shape = {"geometry_type": "MultiPolygon", "promote_to_multi": True}
            pyogrio.write_dataframe(
                _with_dates(layer.frame),
                path,
                layer=layer.name,
                layer_metadata=as_text(layer.about),
                layer_options={"IDENTIFIER": layer.title},
                **options,
                **(shape if layer.geographic else {}),
            )
        items = [(layer.name, *item) for layer in layers for item in as_text(layer.about).items()]
        about = pd.DataFrame(items, columns=["layer", "item", "value"])
        pyogrio.write_dataframe(about, path, layer="about", **options)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    return [path]


def write_geoparquet(layers: Iterable[Layer], folder: Path) -> list[Path]:
    """Write one Parquet file a layer, the description as JSON under ``beatbook`` in its schema.

    Layers with geometry are GeoParquet (WKB, CRS as PROJJSON).
    """
    import pyarrow.parquet as pq

    made = []
    for layer in layers:
        buffer = io.BytesIO()
        _with_dates(layer.frame).to_parquet(buffer, index=False)
        table = pq.read_table(buffer)
        held = {**(table.schema.metadata or {}), b"beatbook": _json(layer.about).encode()}
        path = folder / f"{layer.name}.parquet"
        pq.write_table(table.replace_schema_metadata(held), path)
        made.append(path)
    return made


def write_geojson(layers: Iterable[Layer], folder: Path) -> list[Path]:
    """Write one GeoJSON file a layer with geometry: RFC 7946, so longitude and latitude.

    The description is the member ``beatbook`` at the top, before the features.
    """
    made = []
    for layer in layers:
        if not layer.geographic:
            continue
        path = folder / f"{layer.name}.geojson"
        names = [name for name in layer.frame.columns if name != "geometry"]
        rows = zip(*(_plain(layer.frame[name]) for name in names), strict=True)
        shapes = _shapes(layer.frame, _geojson_shape)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"type": "FeatureCollection",\n')
            about = {**layer.about, "geometry": _DEGREES}
            file.write(f'"name": {_json(layer.name)},\n"beatbook": {_json(about)},\n')
            file.write('"features": [')
            for k, (shape, row) in enumerate(zip(shapes, rows, strict=True)):
                properties = _json(dict(zip(names, row, strict=True)))
                file.write(
                    f'{"," if k else ""}\n{{"type": "Feature", "properties": {properties}, '
                    f'"geometry": {shape}}}'
                )
            file.write("\n]}\n")
        made.append(path)
    return made


def write_kml(layers: Iterable[Layer], folder: Path) -> list[Path]:
    """Write one KML file a layer with geometry, in folders by period and offense.

    Written here and not by GDAL, whose KML drivers differ from one build to the next and hold
    no description, folders and colors together. The description is the document's. A globe cannot
    show tens of thousands of cells: of ``hotspots`` those are left out that had nothing happen in
    them and are neither hot, cold nor of a pattern. Only the first folder is switched on.
    """
    made = []
    for layer in layers:
        if not layer.geographic:
            continue
        path = folder / f"{layer.name}.kml"
        frame = layer.frame[_worth_a_placemark(layer.frame)]
        by = [name for name in ("period", "offense") if name in frame.columns]
        said = {**layer.about, "geometry": _DEGREES}
        if len(frame) < len(layer.frame):
            said["left_out"] = (
                f"{len(layer.frame) - len(frame)} of {len(layer.frame)} cells, in which nothing "
                "happened and which are neither hot, cold nor of a pattern"
            )
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
            file.write('<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n')
            file.write(f"<name>{escape(layer.title)}</name>\n<description>")
            file.write(escape("\n".join(_lines(said))))
            file.write("</description>\n")
            for name, color in _COLORS.items():
                file.write(
                    f'<Style id="{name}"><LineStyle><color>{color}</color><width>1</width>'
                    f"</LineStyle><PolyStyle><color>{color}</color></PolyStyle></Style>\n"
                )
            for k, (names, rows) in enumerate(frame.groupby(by, sort=False)):
                file.write(f"<Folder><name>{escape(', '.join(map(str, names)))}</name>")
                file.write(f"<visibility>{int(k == 0)}</visibility>\n")
                file.writelines(_placemarks(rows, visible=k == 0))
                file.write("</Folder>\n")
            file.write("</Document></kml>\n")
        made.append(path)
    return made


def write_csv(layers: Iterable[Layer], folder: Path) -> list[Path]:
    """Write one CSV file a layer, and the whole description beside them as JSON.

    A comment line would break ArcGIS and Excel, so what a row must not be parted from stands in
    every row: department, week, as-of day, feed hash, code version, CRS, false-discovery rate,
    small-cell limit and source. Layers with geometry have it as ``WKT`` in the department's CRS
    (GDAL and QGIS read it as such), and a point inside as ``longitude, latitude`` (ArcGIS: XY
    Table To Point).
    """
    made = []
    for layer in layers:
        frame = pd.DataFrame(layer.frame.drop(columns="geometry", errors="ignore"))
        if layer.geographic:
            inside = layer.frame.geometry.representative_point().to_crs(WGS84)
            frame["longitude"] = inside.x.round(DEGREE_DIGITS)
            frame["latitude"] = inside.y.round(DEGREE_DIGITS)
        for item in ("department", "week_ending", "as_of", "feed_sha256", "code_version", "crs",
                     "false_discovery_rate", "small_cell_limit", "source"):  # fmt: skip
            frame[item] = str(layer.about[item])
        if layer.geographic:
            frame["WKT"] = shapely.to_wkt(layer.frame.geometry.array, rounding_precision=2)
        path = folder / f"{layer.name}.csv"
        frame.to_csv(path, index=False, lineterminator="\n", float_format="%.10g")
        made.append(path)
    path = folder / "hotspots.metadata.json"
    said = {layer.name: layer.about for layer in layers}
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*made, path]


WRITERS: dict[str, Callable[[list[Layer], Path], list[Path]]] = {
    "gpkg": write_gpkg,
    "geoparquet": write_geoparquet,
    "geojson": write_geojson,
    "kml": write_kml,
    "csv": write_csv,
}


def as_text(about: About) -> dict[str, str]:
    """The description as plain text, for formats that hold nothing else; the rest as JSON."""
    return {
        item: value if isinstance(value, str) else _json(value) for item, value in about.items()
    }


def _lines(about: About, indent: str = "") -> Iterable[str]:
    """The description as people read it, one item a line."""
    for item, value in about.items():
        if isinstance(value, Mapping):
            yield f"{indent}{item}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{item}: {value}"


def _as_of(layers: Iterable[Layer]) -> str:
    return max(str(layer.about["as_of"]) for layer in layers)


def _with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Days as dates, not as midnights of an unsaid time zone; no pandas extras."""
    out = frame.copy()
    for name in out.columns:
        if types.is_datetime64_any_dtype(out[name].dtype):
            out[name] = out[name].astype(pd.ArrowDtype(pa.date32()))
    out.attrs = {}
    return out


def _plain(column: pd.Series) -> list[Any]:
    """Values as JSON has them: None where missing, days as ISO text, no binary dust."""
    if types.is_datetime64_any_dtype(column.dtype):
        return list(column.dt.strftime("%Y-%m-%d").astype(object).where(column.notna(), None))
    values = column.astype(object).where(column.notna(), None)
    if types.is_float_dtype(column.dtype):
        return [None if v is None else float(f"{v:.10g}") for v in values]
    return [v.item() if isinstance(v, np.generic) else v for v in values]


def _json(value: Any) -> str:
    def other(thing: Any) -> Any:
        return thing.isoformat() if isinstance(thing, dt.date) else str(thing)

    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=other)


def _shapes(frame: gpd.GeoDataFrame, write: Callable[[Any], str]) -> list[str]:
    """Each row's geometry written in longitude and latitude; a cell drawn often is written once."""
    outlines = frame.geometry.to_wkb().to_numpy()
    number, first = np.unique(pd.factorize(outlines)[0], return_index=True)
    distinct = shapely.orient_polygons(
        frame.geometry.iloc[first].to_crs(WGS84).to_numpy(), exterior_cw=False
    )
    texts = dict(zip(number, map(write, distinct), strict=True))
    return [texts[k] for k in pd.factorize(outlines)[0]]


def _geojson_shape(shape: Any) -> str:
    polygons = [
        [_ring(ring) for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(shape)
    ]
    many = len(polygons) > 1
    return json.dumps(
        {
            "type": "MultiPolygon" if many else "Polygon",
            "coordinates": polygons if many else polygons[0],
        }
    )


def _kml_shape(shape: Any) -> str:
    def ring(side: str, line: Any) -> str:
        corners = " ".join(f"{lon},{lat}" for lon, lat in _ring(line))
        return f"<{side}><LinearRing><coordinates>{corners}</coordinates></LinearRing></{side}>"

    polygons = [
        f"<Polygon>{ring('outerBoundaryIs', part.exterior)}"
        f"{''.join(ring('innerBoundaryIs', hole) for hole in part.interiors)}</Polygon>"
        for part in shapely.get_parts(shape)
    ]
    return f"<MultiGeometry>{''.join(polygons)}</MultiGeometry>"


def _ring(line: Any) -> list[list[float]]:
    corners: list[list[float]] = np.round(shapely.get_coordinates(line), DEGREE_DIGITS).tolist()
    return corners


def _worth_a_placemark(frame: gpd.GeoDataFrame) -> pd.Series:
    if "incidents_shown" not in frame.columns:
        return pd.Series(True, index=frame.index)
    return (
        (frame["incidents_shown"] != "0")
        | frame["class"].isin(["hot", "cold"])
        | ~frame["pattern"].isin(["", "no pattern"])
    )


def _placemarks(rows: gpd.GeoDataFrame, *, visible: bool) -> Iterable[str]:
    names = [name for name in rows.columns if name != "geometry"]
    if "class" in rows.columns:
        titles = rows["cell"] + ": " + rows["class"]
        styles = rows["class"].where(rows["class"].isin(["hot", "cold"]), "other")
    else:
        titles = rows["offense"]
        styles = pd.Series("zone", index=rows.index)
    shapes = _shapes(rows, _kml_shape)
    values = zip(*(_plain(rows[name]) for name in names), strict=True)
    for title, style, shape, row in zip(titles, styles, shapes, values, strict=True):
        data = "".join(
            f"<Data name={quoteattr(name)}><value>{escape(str(value))}</value></Data>"
            for name, value in zip(names, row, strict=True)
            if value is not None
        )
        yield (
            f"<Placemark><name>{escape(title)}</name><visibility>{int(visible)}</visibility>"
            f"<styleUrl>#{style}</styleUrl><ExtendedData>{data}</ExtendedData>{shape}</Placemark>\n"
        )
