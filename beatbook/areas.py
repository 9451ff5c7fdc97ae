"""The department's maps: city outline, precincts, beats, neighborhoods, and points within them."""

from functools import lru_cache
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from beatbook.department import AREA_KINDS, Department
from beatbook.errors import SettingsError

if TYPE_CHECKING:
    import geopandas as gpd


def load_outlines(department: Department, kind: str) -> "gpd.GeoDataFrame":
    """Read the outlines of one kind of area.

    Parameters
    ----------
    department
        Whose map.
    kind
        ``city``, ``precinct``, ``beat`` or ``neighborhood``.

    Returns
    -------
    GeoDataFrame
        Columns ``code, name, geometry`` in the department's CRS (meters), one row an area, by
        code as the department writes it; for ``city`` one row with the city's name. Outlines
        that share a code are one area; an outline without a code is none. Empty if the
        department has no outlines of that kind.

    Raises
    ------
    SettingsError
        If the file is missing, cannot be read, holds no outline, or lacks the code column.
    """
    import geopandas as gpd

    settings = department.areas.city if kind == "city" else department.areas.kind(kind)
    if settings.file is None:
        return gpd.GeoDataFrame({"code": [], "name": []}, geometry=[], crs=department.crs)
    path = department.folder / settings.file
    if not path.is_file():
        raise SettingsError(f"{department.slug}: areas.{kind}.file: there is no {settings.file}.")
    area = None if kind == "city" else department.areas.kind(kind)
    # A map may be several files, such as a shapefile's outlines and their codes.
    parts = ((part.name, part.stat()) for part in path.parent.glob(f"{escape(path.stem)}.*"))
    outlines = _outlines(
        path,
        tuple(sorted((name, held.st_mtime_ns, held.st_size) for name, held in parts)),
        f"{department.slug}/{settings.file}",
        department.crs,
        department.city if area is None else None,
        area.code if area else None,
        area.name_column if area else None,
    )
    return outlines.copy()


@lru_cache(maxsize=16)
def _outlines(
    path: Path,
    _stamp: tuple[tuple[str, int, int], ...],
    shown: str,
    crs: str,
    city: str | None,
    code: str | None,
    name: str | None,
) -> "gpd.GeoDataFrame":
    """The outlines of a map as its files are now: a book asks for the same ones a dozen times."""
    import geopandas as gpd

    try:
        shapes = gpd.read_file(path)
    except (RuntimeError, ValueError, OSError) as error:
        raise SettingsError(f"{shown} cannot be read as a map: {error}") from None
    if shapes.empty:
        raise SettingsError(f"{shown} holds no outline.")
    if shapes.crs is None:
        raise SettingsError(f"{shown} does not say its CRS.")
    shapes = shapes.to_crs(crs)
    shapes["geometry"] = shapes.geometry.make_valid()
    if city is not None:
        whole = [shapes.union_all()]
        return gpd.GeoDataFrame({"code": [city], "name": [city]}, geometry=whole, crs=crs)
    for column in (code, name):
        if column is not None and column not in shapes.columns:
            held = ", ".join(c for c in shapes.columns if c != "geometry")
            raise SettingsError(f"{shown} has no column {column}; it has {held}.")
    shapes = shapes[shapes[code].notna()]
    codes = shapes[code].map(_as_code)
    names = shapes[name].astype(str) if name else codes
    outlines = gpd.GeoDataFrame({"code": codes, "name": names}, geometry=shapes.geometry, crs=crs)
    if outlines["code"].duplicated().any():
        outlines = outlines.dissolve("code", as_index=False)
    order = sorted(range(len(outlines)), key=lambda i: code_order(outlines["code"].iloc[i]))
    return outlines.iloc[order].reset_index(drop=True)


def area_codes(department: Department, kind: str) -> pd.DataFrame:
    """List the codes that a record may carry, and from when.

    Returns
    -------
    DataFrame
        Columns ``code, valid_from, valid_to`` (datetime, ``valid_to`` exclusive). Empty if the
        department lists none and has no outlines: then every code is taken as it comes.
    """
    area = department.areas.kind(kind)
    rows = []
    if area.codes:
        starts = sorted(area.codes)
        # A record coded before the first list is held against the first list.
        bounds = [pd.Timestamp("1800-01-01"), *map(pd.Timestamp, starts[1:])]
        bounds.append(pd.Timestamp("2200-01-01"))
        for place, start in enumerate(starts):
            rows += [(code, bounds[place], bounds[place + 1]) for code in area.codes[start]]
    elif area.file:
        rows = [
            (code, pd.Timestamp("1800-01-01"), pd.Timestamp("2200-01-01"))
            for code in load_outlines(department, kind)["code"]
        ]
    frame = pd.DataFrame(rows, columns=["code", "valid_from", "valid_to"])
    # Types are said, so that an empty list reads as one of codes too.
    return frame.astype(
        {"code": "str", "valid_from": "datetime64[us]", "valid_to": "datetime64[us]"}
    )


def locate(points: pd.DataFrame, department: Department) -> pd.DataFrame:
    """Bring distinct feed coordinates onto the department's map.

    Parameters
    ----------
    points
        Columns ``feed_x, feed_y``: coordinates in the feed's CRS, distinct.
    department
        Whose map and CRS.

    Returns
    -------
    DataFrame
        The points with ``x, y`` (meters, department's CRS; missing where unknown or not
        projectable), ``quality`` (``exact`` or ``block`` as the settings say, ``pile_up`` for a
        point that is the center of an area and so a default, ``outside`` the city by more than
        the outline's tolerance, ``missing``), and ``precinct_map, beat_map, neighborhood_map``:
        the area the point lies in, missing where there is none, no outlines, or a pile-up. A
        point on a border goes to the area that comes first by code.
    """
    import shapely
    from pyproj import Transformer

    out = points.copy()
    to_map = Transformer.from_crs(department.feed.crs, department.crs, always_xy=True)
    x, y = to_map.transform(points["feed_x"].to_numpy(float), points["feed_y"].to_numpy(float))
    unknown = ~(np.isfinite(x) & np.isfinite(y))
    for unknown_x, unknown_y in department.feed.unknown_coordinates:
        # Both must agree: a default such as a station's door shares its x with true places.
        here = (points["feed_x"] == unknown_x) & (points["feed_y"] == unknown_y)
        unknown |= here.to_numpy()
    out["x"] = np.where(unknown, np.nan, x)
    out["y"] = np.where(unknown, np.nan, y)
    places = shapely.points(out["x"].to_numpy(), out["y"].to_numpy())
    places[unknown] = None

    city = load_outlines(department, "city").geometry.iloc[0]
    near_city = city.buffer(department.areas.city.tolerance_m)
    shapely.prepare(near_city)
    inside = shapely.contains_xy(near_city, out["x"], out["y"])
    quality = np.where(inside, department.feed.location_precision, "outside").astype(object)
    centers = [city.centroid]
    for kind in AREA_KINDS:
        out[f"{kind}_map"] = pd.Series(None, index=out.index, dtype="str")
        outlines = load_outlines(department, kind)
        if outlines.empty:
            continue
        centers.extend(outlines.geometry.centroid)
        tree = shapely.STRtree(outlines.geometry.to_numpy())
        point, area = tree.query(places, predicate="intersects")
        first = pd.Series(area).groupby(point).min()
        codes = outlines["code"].to_numpy(object)
        out.loc[out.index[first.index], f"{kind}_map"] = codes[first.to_numpy()]
    near_center = shapely.STRtree(centers).query(places, predicate="dwithin", distance=1.0)[0]
    quality[near_center] = "pile_up"
    # A default location says nothing of where it was, so nothing is filled in from it.
    for kind in AREA_KINDS:
        out.loc[out.index[near_center], f"{kind}_map"] = None
    quality[unknown] = "missing"
    # The type is said: a feed without any coordinates leaves nothing to tell it from.
    out["quality"] = pd.Series(quality, index=out.index, dtype="str")
    return out


def code_order(code: str) -> tuple[int, str]:
    """Sort codes as people do: 2 before 10, words after numbers, Unknown last."""
    if code == "Unknown":
        return (2**31, code)
    return (int(code), "") if code.isdigit() else (2**30, code)


def _as_code(value: object) -> str:
    """A code as text: 7, 7.0 and '7' are one."""
    text = str(value).strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text
