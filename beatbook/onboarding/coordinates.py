"""Which columns are coordinates, in which system, and where on earth that is."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.onboarding.column_values import Column

if TYPE_CHECKING:
    import shapely

DEGREES = "EPSG:4326"
_NEAR = 0.002
"""Degrees around the outline that count as inside it (about 200 m): blocks on the border."""

_AXES = (
    (r"longt?itude|long|lon|lng", r"latitude|lat"),
    (r"easting|east", r"northing|north"),
)
# Among systems that fit equally the plain, current one; NAD27 last.
_PREFERRED = (
    r"^NAD83 / ", r"^ETRS89 / ", r"^WGS 84 / ", r"^NAD_1983_(StatePlane|UTM)", r"NAD83\(2011\)",
    r"^(?!.*(NAD27|1927))", r"",
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two columns of one layout that may be a point; ``named`` if their names say so."""

    x: str
    y: str
    degrees: bool
    named: bool
    filled: float
    points: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coordinates:
    """The points of a feed.

    Attributes
    ----------
    pairs
        For each layout its two columns; None where it has no point in this system.
    crs
        None where it could not be told.
    evidence
        Why, in words.
    sure
        False where a person must look.
    unknown
        Points that stand for no place: (0, 0), and one outside the city that many rows share.
    """

    pairs: tuple[Pair | None, ...]
    crs: str | None
    evidence: str
    sure: bool
    unknown: tuple[tuple[float, float], ...] = ((0.0, 0.0),)


def find_pairs(columns: Mapping[str, Column], guess: bool = False) -> list[Pair]:
    """Find the columns that could be the two coordinates of a point.

    Parameters
    ----------
    columns
        Of one layout.
    guess
        Also pair columns that no name puts together: a map must then say which pair is right.
    """
    numbers = [c for c in columns.values() if c.is_number and not c.is_date and c.distinct > 5]
    fine = {c.name for c in numbers if guess and _fine(c)}
    pairs = []
    for one, other in itertools.permutations(numbers, 2):
        named = _axes(one.name, other.name)
        if named or {one.name, other.name} <= fine:
            pair = _pair(one, other, named)
            if pair is not None:
                pairs.append(pair)
    return pairs


def settle(
    layouts: Sequence[Mapping[str, Column]], outline: "shapely.Geometry | None"
) -> Coordinates:
    """Settle which columns and which system hold the points of all layouts.

    Parameters
    ----------
    layouts
        The columns of each layout.
    outline
        The city in degrees (EPSG:4326), or None.

    Returns
    -------
    Coordinates
        Degrees wherever every layout that has points has them in degrees: their system is
        certain. Else, with an outline, the projected system of that part of the world which
        puts most points inside it; without one the system is left open.
    """
    found = [
        find_pairs(columns) or (find_pairs(columns, guess=True) if outline is not None else [])
        for columns in layouts
    ]
    near = None if outline is None else _around(outline)
    if not any(found):
        return Coordinates(tuple(None for _ in layouts), DEGREES, "the files hold no points", True)
    in_degrees = [_best_in_degrees(pairs, near) for pairs in found]
    if all(best is not None or not any(p.named for p in pairs)
           for best, pairs in zip(in_degrees, found, strict=True)) and any(in_degrees):  # fmt: skip
        best = [b for b in in_degrees if b is not None]
        share = min(b.inside for b in best)
        told = f"degrees; {share:.0%} of the points lie in the outline" if outline else "degrees"
        unsure = (share < 0.9) if outline else not all(b.pair.named for b in best)
        return Coordinates(
            tuple(b.pair if b else None for b in in_degrees), DEGREES, told, not unsure,
            _unknown_points([b.pair for b in best], DEGREES, near),
        )  # fmt: skip
    if outline is None:
        pairs = [next((p for p in some if p.named and not p.degrees), None) for some in found]
        middle = np.median(np.vstack([p.points for p in pairs if p]), axis=0)
        return Coordinates(tuple(pairs), None, _by_size(*middle), False)
    return _projected(found, near)


def _unknown_points(
    pairs: Sequence[Pair], crs: str, near: "shapely.Geometry | None"
) -> tuple[tuple[float, float], ...]:
    """(0, 0), and any point outside the city that one in 200 rows shares."""
    unknown = [(0.0, 0.0)]
    if near is not None:
        for pair in pairs:
            points = pd.DataFrame(pair.points).value_counts()
            often = points[points >= max(20, 0.005 * len(pair.points))]
            for x, y in often.index:
                place = to_degrees(np.array([[x, y]]), crs)
                if (x, y) not in unknown and _share_inside(place, near) == 0:
                    unknown.append((float(x), float(y)))
    return tuple(unknown)


def to_degrees(points: npt.NDArray[np.float64], crs: str) -> npt.NDArray[np.float64]:
    """Points in a system as longitude and latitude."""
    from pyproj import Transformer

    transformer = Transformer.from_crs(crs, DEGREES, always_xy=True)
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))


def metric_crs(lon: float, lat: float, feed_crs: str | None) -> str:
    """The projected system to measure in: the feed's own if it is in meters, else the UTM zone.

    Web Mercator is in meters by name only and is not kept: at 40 degrees its meter is 77 cm.
    """
    import geopandas as gpd
    from pyproj import CRS

    if feed_crs is not None:
        crs = CRS.from_user_input(feed_crs)
        meters = crs.is_projected and crs.axis_info[0].unit_name == "metre"
        if meters and "Mercator" not in crs.name.replace("Transverse Mercator", ""):
            return feed_crs
    place = gpd.GeoSeries(gpd.points_from_xy([lon], [lat]), crs=DEGREES)
    return f"EPSG:{place.estimate_utm_crs().to_epsg()}"


def guess_timezone(lon: float, lat: float) -> str:
    """The time zone around a place, roughly: a person must say the right one.

    The contiguous United States by longitude; elsewhere the zone whose own city is nearest, by
    the table of the IANA database.
    """
    if 24 <= lat <= 50 and -125 <= lon <= -66:
        for west, zone in ((-86.5, "New_York"), (-101.5, "Chicago"), (-114.5, "Denver")):
            if lon >= west:
                return f"America/{zone}"
        return "America/Los_Angeles"
    best, nearest = "Etc/UTC", np.inf
    table = resources.files("tzdata").joinpath("zoneinfo/zone1970.tab").read_text("utf-8")
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        _, place, zone = line.split("\t")[:3]
        north, east = re.findall(r"[-+]\d+", place)
        away = np.hypot(_angle(north, 2) - lat, (_angle(east, 3) - lon) * np.cos(np.radians(lat)))
        if away < nearest:
            best, nearest = zone, float(away)
    return best


class _InDegrees(NamedTuple):
    pair: Pair
    inside: float


def _best_in_degrees(pairs: Sequence[Pair], near: "shapely.Geometry | None") -> _InDegrees | None:
    scored = []
    for pair in pairs:
        if pair.degrees and (pair.named or near is not None):
            inside = 1.0 if near is None else _share_inside(pair.points, near)
            if inside >= 0.5:
                scored.append(_InDegrees(pair, inside))
    return max(
        scored, key=lambda s: (round(s.inside, 1), s.pair.named, round(s.pair.filled, 1)),
        default=None,
    )  # fmt: skip


def _projected(found: Sequence[Sequence[Pair]], near: "shapely.Geometry") -> Coordinates:
    from pyproj import Proj
    from pyproj.exceptions import CRSError, ProjError

    # The one system must serve all layouts, so all their pairs are tried in each.
    tried = [(place, pair) for place, pairs in enumerate(found) for pair in pairs
             if not pair.degrees]  # fmt: skip
    if not tried:
        return Coordinates(
            tuple(None for _ in found), DEGREES,
            "the files hold numbers that could be points, but none lies in the outline", False,
        )  # fmt: skip
    middles = np.array([np.median(pair.points, axis=0) for _, pair in tried])
    west, south, east, north = near.bounds
    results: list[tuple[float, int, str, str, dict[int, Pair]]] = []
    for code, name in _systems(near.bounds):
        try:
            # Without a change of datum, which takes a hundred times as long and moves a point
            # by less than the margin below.
            lon, lat = Proj(code)(middles[:, 0], middles[:, 1], inverse=True)
        except (CRSError, ProjError):
            continue
        close = (west - 0.2 < lon) & (lon < east + 0.2) & (south - 0.2 < lat) & (lat < north + 0.2)
        chosen: dict[int, Pair] = {}
        shares: dict[int, float] = {}
        for i in np.flatnonzero(close):
            place, pair = tried[i]
            inside = _share_inside(to_degrees(pair.points, code), near)
            better = (round(inside, 2), pair.named) > (
                round(shares.get(place, 0.0), 2), chosen[place].named if place in chosen else False
            )  # fmt: skip
            if inside >= 0.5 and better:
                chosen[place], shares[place] = pair, inside
        if shares:
            rank = next(i for i, words in enumerate(_PREFERRED) if re.search(words, name))
            score = sum(shares.values()) / max(1, sum(any(p.named for p in some) for some in found))
            results.append((round(score, 2), -rank, code, name, chosen))
    if not results:
        pairs = tuple(next((p for p in some if p.named), None) for some in found)
        middle = middles[0]
        return Coordinates(pairs, None, "no usual system puts the points inside the outline; "
                           + _by_size(*middle), False)  # fmt: skip
    results.sort(key=lambda r: (r[0], r[1]), reverse=True)
    score, _, code, name, chosen = results[0]
    told = f"{name}: {min(score, 1):.0%} of the points lie in the outline"
    others = [r[2] for r in results[1:] if r[0] >= score - 0.01 and _apart(r, results[0]) > 3]
    if others:
        told += f"; nearly as many with {', '.join(others[:3])}"
    pairs = tuple(chosen.get(place) for place in range(len(found)))
    return Coordinates(
        pairs, code, told, score >= 0.9, _unknown_points(list(chosen.values()), code, near)
    )


def _apart(one: Any, other: Any) -> float:
    """How many meters apart two systems put the middle point, roughly."""
    place = next(iter(one[4]))
    if place not in other[4]:
        return np.inf
    middle = np.median(other[4][place].points, axis=0)[None, :]
    gap = to_degrees(middle, one[2]) - to_degrees(middle, other[2])
    return float(np.hypot(*gap[0])) * 111_000


def _systems(bounds: Sequence[float]) -> list[tuple[str, str]]:
    """The projected systems for that part of the world, each as code and name."""
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    systems = [("EPSG:3857", "WGS 84 / Pseudo-Mercator")]
    for info in query_crs_info(
        pj_types=[PJType.PROJECTED_CRS], area_of_interest=AreaOfInterest(*bounds)
    ):
        area = info.area_of_use
        local = area is not None and 0 < area.east - area.west < 30
        if info.auth_name in ("EPSG", "ESRI") and local and "grid system" not in info.name:
            systems.append((f"{info.auth_name}:{info.code}", info.name))
    return systems


def _around(outline: "shapely.Geometry") -> "shapely.Geometry":
    """The outline with the blocks on its border, ready for many questions."""
    import shapely

    near = shapely.buffer(shapely.simplify(outline, _NEAR / 10), _NEAR)
    shapely.prepare(near)
    return near


def _share_inside(points: npt.NDArray[np.float64], near: "shapely.Geometry") -> float:
    import shapely

    return float(shapely.contains_xy(near, points).mean()) if len(points) else 0.0


def _pair(one: Column, other: Column, named: bool) -> Pair | None:
    both = pd.DataFrame({"x": one.values, "y": other.values}).dropna()
    points = both.apply(pd.to_numeric, errors="coerce").dropna().to_numpy(float)
    points = points[~(points == 0).any(axis=1)][:2000]
    if len(points) < 5:
        return None
    x, y = np.abs(np.quantile(points, [0.02, 0.98], axis=0)).max(axis=0)
    return Pair(one.name, other.name, bool(x <= 180 and y <= 90), named, one.filled, points)


def _axes(one: str, other: str) -> bool:
    """Whether two names differ in the axis only, and the first is that of x."""
    a, b = one.lower(), other.lower()
    for east, north in _AXES:
        if re.search(east, a) and re.search(north, b):
            return re.sub(east, "·", a, count=1) == re.sub(north, "·", b, count=1)
    if len(a) != len(b):
        return False
    differing = [(p, q) for p, q in zip(a, b, strict=True) if p != q]
    return differing == [("x", "y")]


def _fine(column: Column) -> bool:
    """Whether values are as finely divided as coordinates are, or as large."""
    large = pd.to_numeric(column.values, errors="coerce").abs().median() > 10_000
    return column.distinct > 20 and (column.decimals > 0.5 or bool(large))


def _angle(text: str, whole: int) -> float:
    sign = -1 if text[0] == "-" else 1
    digits = text[1:]
    minutes = digits[whole : whole + 2] or "0"
    return sign * (int(digits[:whole]) + int(minutes) / 60)


def _by_size(x: float, y: float) -> str:
    if 100_000 < x < 900_000 and 2_500_000 < y < 10_000_000:
        return "by their size the coordinates are UTM meters; the zone must be said"
    return (
        "by their size the coordinates are of a state plane, in feet or in meters; give the city's "
        "outline to have the systems tried, or ask the publisher which it is"
    )
