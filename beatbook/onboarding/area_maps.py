"""The department's maps: read, and their codes matched with those on the records."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import FeedError
from beatbook.onboarding.column_values import UNKNOWN_WORDS, Column
from beatbook.onboarding.dates import form
from beatbook.onboarding.header_words import in_words

if TYPE_CHECKING:
    import geopandas as gpd

_PREFIX = re.compile(r"([A-Za-z][A-Za-z ]*[ #-])\s*\w{1,4}")


@dataclass(frozen=True)
class AreaMatch:
    """How the codes of the records become those of the map.

    Attributes
    ----------
    code, name_column
        The map's columns.
    listed
        Share of the records with a code whose code is on the map, after strip and aliases.
    agrees
        Share of the records with a code and a point whose point lies in the outline of their
        code; missing where there are too few points to tell.
    unlisted
        Codes that are on no outline, with their records.
    """

    code: str
    name_column: str | None
    strip: str
    aliases: dict[str, str]
    unknown: list[str]
    listed: float
    agrees: float | None
    unlisted: dict[str, int] = field(default_factory=dict)


def read_outlines(path: Path) -> "gpd.GeoDataFrame":
    """Read outlines as polygons in degrees.

    Raises
    ------
    FeedError
        If the file is missing, cannot be read as a map, holds no polygon, or has coordinates
        whose system it does not say.
    """
    import geopandas as gpd

    if not path.exists():
        raise FeedError(f"{path}: there is no such file.")
    try:
        shapes = gpd.read_file(path)
    except Exception as error:  # the map libraries raise errors of several kinds
        raise FeedError(f"{path.name}: it cannot be read as a map ({error}).") from None
    if not isinstance(shapes, gpd.GeoDataFrame) or shapes.geometry.isna().all():
        raise FeedError(f"{path.name}: it holds no outlines.")
    if shapes.crs is None:
        raise FeedError(f"{path.name}: it does not say its coordinate reference system.")
    shapes = shapes[shapes.geometry.notna()].to_crs("EPSG:4326")
    if not shapes.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise FeedError(f"{path.name}: it holds other shapes than polygons.")
    west, south, east, north = shapes.total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise FeedError(
            f"{path.name}: its coordinates are no degrees, though GeoJSON without a crs is in "
            "degrees. Export it in longitude and latitude (EPSG:4326)."
        )
    shapes["geometry"] = shapes.geometry.make_valid()
    return shapes.reset_index(drop=True)


def locate_in(
    lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], outlines: "gpd.GeoDataFrame"
) -> npt.NDArray[np.int64]:
    """The outline that each point lies in, by place; -1 for none."""
    import shapely

    at = np.full(len(lon), -1, dtype=np.int64)
    points = shapely.points(lon, lat)
    points[~(np.isfinite(lon) & np.isfinite(lat))] = None
    tree = shapely.STRtree(outlines.geometry.to_numpy())
    point, area = tree.query(points, predicate="intersects")
    at[point] = area
    return at


def common_prefix(values: pd.Series) -> str:
    """The words before nearly every code, such as ``Cluster`` and a blank; empty if none."""
    codes = values[~values.str.lower().isin(UNKNOWN_WORDS)]
    prefixes = codes.str.extract(f"^{_PREFIX.pattern}$")[0]
    common = prefixes.value_counts()
    if common.empty or common.iloc[0] < 0.9 * len(codes):
        return ""
    return str(common.index[0])


def unknown_codes(values: pd.Series) -> list[str]:
    """The values that stand for no code."""
    return [v for v in sorted(values.unique()) if v.lower() in UNKNOWN_WORDS]


def match_codes(
    values: pd.Series, at: npt.NDArray[np.int64], outlines: "gpd.GeoDataFrame", column: str
) -> AreaMatch | None:
    """Match the codes on records with a map's.

    Parameters
    ----------
    values
        The codes as published, filled rows only.
    at
        The outline that the point of each of these rows lies in, -1 for none.
    outlines
        From :func:`read_outlines`.
    column
        What the feed calls the codes: a column of the map with that name is preferred.

    Returns
    -------
    AreaMatch or None
        None if the map has no column that could hold codes.
    """
    strip = common_prefix(values)
    codes = values.str.replace(strip, "", regex=False).str.strip() if strip else values
    best: tuple[tuple[float, float, int, int], AreaMatch] | None = None
    for place, (name, held) in enumerate(_code_columns(outlines)):
        match = _match(codes, at, held, strip, name, _names_of(outlines, name))
        words = in_words(name)
        likely = 2 * (words == in_words(column)) + bool(re.search(r"dist|code|num|psa|beat", words))
        likely -= 3 * bool(re.search(r"object ?id|fid|gis|url|shape|global", words))
        score = (round(match.listed, 1), round(match.agrees or 0.0, 1), likely, -place)
        if best is None or score > best[0]:
            best = (score, match)
    return best[1] if best else None


def column_of_map(
    columns: Mapping[str, Column], at: pd.Series, outlines: "gpd.GeoDataFrame", free: set[str]
) -> tuple[str, AreaMatch] | None:
    """Find the column whose codes are those of the outlines that its points lie in.

    Parameters
    ----------
    columns
        Of one layout.
    at
        The outline of each sampled row, by the layout's row labels.
    outlines
        The map.
    free
        The columns that hold nothing else.

    Returns
    -------
    tuple or None
        The column, and how it matches; None unless 7 in 10 located records agree.
    """
    best: tuple[str, AreaMatch] | None = None
    for column in columns.values():
        if column.name not in free or not 2 <= column.distinct <= 3 * len(outlines) + 10:
            continue
        places = at.reindex(column.values.index).fillna(-1).to_numpy(np.int64)
        if not _one_to_one(column.values, places):
            continue
        match = match_codes(column.values, places, outlines, column.name)
        if match is None or match.agrees is None or match.agrees < 0.7 or match.listed < 0.7:
            continue
        if best is None or match.agrees * column.filled > (best[1].agrees or 0):
            best = (column.name, match)
    return best


def _one_to_one(values: pd.Series, at: npt.NDArray[np.int64]) -> bool:
    """Whether most records of a value lie in one outline, and most of an outline share a value."""
    both = pd.DataFrame({"value": values.to_numpy(), "area": at})[at >= 0]
    if len(both) < 20:
        return False
    counts = both.groupby(["value", "area"]).size()
    return all(counts.groupby(level=k).max().sum() >= 0.6 * len(both) for k in ("value", "area"))


def as_code(value: object) -> str:
    """A map's code as text: 7, 7.0 and '7' are one."""
    text = "" if value is None else str(value).strip()
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text


def _match(
    codes: pd.Series, at: npt.NDArray[np.int64], held: pd.Series, strip: str, name: str,
    name_column: str | None,
) -> AreaMatch:  # fmt: skip
    on_map = set(held)
    unknown = [code for code in unknown_codes(codes) if code not in on_map]
    told = ~codes.isin(unknown).to_numpy()
    loosely = {_loose(code): code for code in sorted(on_map)}
    aliases = {
        value: loosely[_loose(value)]
        for value in codes[told].unique()
        if value not in on_map and _loose(value) in loosely
    }
    located = told & (at >= 0)
    here = pd.DataFrame({"code": codes[located], "map": held.to_numpy()[at[located]]})
    counted = here.groupby(["code", "map"]).size()
    located_codes = set(here["code"])
    forms = {form(code) for code in on_map}
    for value in codes[told].unique():
        # What is written as the map's codes are is a code that the map lacks.
        if value in aliases or form(value) in forms or value not in located_codes:
            continue
        # Another spelling of a code: nearly all its points lie in one area, and nearly all
        # of the area's records so spelt are its own.
        areas = counted.loc[value]
        if areas.sum() >= 5 and areas.max() >= 0.8 * areas.sum():
            aliases[value] = str(areas.idxmax())
    claimed = pd.Series(aliases, dtype="str")
    if len(claimed) and claimed.duplicated().mean() > 0.3:
        # Smaller areas within those of the map, and not another spelling of them.
        aliases = {}
    mapped = codes[told].replace(aliases)
    here_mapped = mapped[located[told]]
    agrees = None
    if len(here_mapped) >= 20:
        agrees = float((here_mapped.to_numpy() == here["map"].to_numpy()).mean())
    off = mapped[~mapped.isin(on_map)].value_counts()
    return AreaMatch(
        code=name,
        name_column=name_column,
        strip=strip,
        aliases=dict(sorted(aliases.items())),
        unknown=unknown,
        listed=float(mapped.isin(on_map).mean()) if len(mapped) else 0.0,
        agrees=agrees,
        unlisted={str(code): int(n) for code, n in off.items()},
    )


def _code_columns(outlines: "gpd.GeoDataFrame") -> list[tuple[str, pd.Series]]:
    """The columns of a map that could hold codes: short, and nearly each once."""
    columns = []
    for name in outlines.columns:
        if name == "geometry":
            continue
        held = outlines[name].map(as_code)
        several = (
            held.nunique() >= max(min(2, len(held)), 0.8 * len(held)) and held.str.len().max() <= 40
        )
        if several and held.str.fullmatch(r"-?\d+\.\d+").mean() <= 0.5:
            columns.append((str(name), held))
    return columns


def _names_of(outlines: "gpd.GeoDataFrame", code: str) -> str | None:
    for column in outlines.columns:
        if column not in ("geometry", code) and re.search(r"name|label", in_words(column)):
            names = outlines[column].astype(str)
            if names.str.contains("[A-Za-z]").all() and names.nunique() >= 0.8 * len(names):
                return str(column)
    return None


def _loose(code: str) -> str:
    return re.sub(r"\W", "", code).lstrip("0").casefold()
