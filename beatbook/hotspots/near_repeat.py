"""Near repeats event by event: pairs with one originator each, strings, and zones still open."""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import as_points, positive
from beatbook.hotspots.knox import KnoxTable
from beatbook.hotspots.pairs import Metric, coordinate_tolerance, pairs_within
from beatbook.hotspots.times import local_timestamps, whole_days


def near_repeat_pairs(
    x: Any,
    y: Any,
    times: Any,
    max_distance: float,
    max_days: float,
    *,
    record_id: Any = None,
    metric: Metric = "manhattan",
) -> pd.DataFrame:
    """List each pair of events close in space and time once, with one originator.

    Parameters
    ----------
    x, y : projected coordinates.
    times : dates, timestamps or numbers of days.
    max_distance, max_days : farthest apart that still counts, themselves included.
    record_id : one distinct name an event; row numbers if not given. They make the answer
        independent of the order of rows.
    metric : ``"manhattan"`` or ``"euclidean"``.

    Returns
    -------
    One row a pair: ``originator``, ``follower`` (record ids), ``distance``, ``days``, ``same_day``.
    The earlier event is the originator. On one day the earlier clock time decides where both have
    one, else the smaller record id: a same-day pair has exactly one originator, never two and
    never none, so originators and followers add up to the pairs.

    Source: Ratcliffe and Rengert (2008), Near-repeat patterns in Philadelphia shootings, Security
    Journal 21.
    """
    days, first, second, distance = _close_pairs(x, y, times, max_distance, max_days, metric)
    ids = np.arange(days.size) if record_id is None else np.asarray(record_id)
    if ids.shape != days.shape or pd.Series(ids).duplicated().any():
        raise InvalidInput("record_id must name every event once; some are missing or repeated.")
    rank = pd.Series(ids).rank(method="first").to_numpy()
    clock = _clock(times, days)
    earlier = np.where(
        clock[first] != clock[second],
        clock[first] < clock[second],
        rank[first] < rank[second],
    )
    origin = np.where(earlier, first, second)
    follow = np.where(earlier, second, first)
    order = np.lexsort((rank[follow], rank[origin], clock[follow], clock[origin]))
    gap = np.abs(days[first] - days[second])[order]
    return pd.DataFrame(
        {
            "originator": ids[origin[order]],
            "follower": ids[follow[order]],
            "distance": distance[order],
            "days": gap,
            "same_day": gap == 0,
        }
    )


def near_repeat_strings(
    x: Any,
    y: Any,
    times: Any,
    max_distance: float,
    max_days: float,
    *,
    metric: Metric = "euclidean",
) -> pd.DataFrame:
    """Chain events into strings: each linked to the next within the distance and the days.

    Parameters
    ----------
    As `near_repeat_pairs`; both limits are included. The default distance is Euclidean as in the
    published form of this method.

    Returns
    -------
    One row an event, in the order given: ``string`` (1, 2, ... in order of the first event's time,
    then x, then y) and ``size`` (events in that string; 1 is an event with no near repeat).

    Notes
    -----
    Two events of one string may lie far apart: only neighbors in the chain are close. Events
    linked to nothing get a string of their own.

    Source: connected components as in Wheeler's near-repeat strings (ptools, near_strings).
    """
    days, first, second, _ = _close_pairs(x, y, times, max_distance, max_days, metric)
    n = days.size
    if n == 0:
        return pd.DataFrame(
            {"string": np.empty(0, dtype=np.int64), "size": np.empty(0, dtype=np.int64)}
        )
    graph = coo_array((np.ones(first.size, dtype=np.int8), (first, second)), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    xs, ys = as_points(x, y)
    order = np.lexsort((ys, xs, days))
    _, seen = np.unique(label[order], return_index=True)
    number = np.empty(count, dtype=np.int64)
    number[np.argsort(seen)] = np.arange(1, count + 1)
    string = number[label]
    return pd.DataFrame({"string": string, "size": np.bincount(string)[string]})


def open_zones(
    x: Any,
    y: Any,
    times: Any,
    as_of: Any,
    table: KnoxTable,
    *,
    record_id: Any = None,
    max_q: float = 0.05,
    min_ratio: float = 1.2,
    crs: Any = None,
) -> gpd.GeoDataFrame:
    """Draw where, and until when, recent events raise the risk of another one.

    Parameters
    ----------
    x, y, times : events; their unit of distance is that of the table's bands.
    as_of : the day the zones are for (same kind as ``times``). Later events are ignored.
    table : a Knox table of this offense and place, over a longer period.
    record_id : one distinct name an event; row numbers if not given.
    max_q, min_ratio : a band pair counts when its q (over all band pairs of the table) is at most
        0.05 and its ratio at least 1.2, the level that published near-repeat studies call
        meaningful; a smaller ratio can be significant with many events and of no use on patrol.
    crs : coordinate system of the result.

    Returns
    -------
    One row an event, distance band and time band open on ``as_of``: ``event``, ``inner_distance``,
    ``outer_distance``, ``opens`` and ``closes`` (first and last day of the raised risk),
    ``days_left`` (today excluded), ``ratio`` (mean ratio of that band pair), ``q``, and
    ``geometry``: a disc or ring, or a diamond for the Manhattan metric. No rows where no band pair
    counts: then the data show no near repeats and no zone should be drawn.

    Notes
    -----
    The ratio compares with shuffled dates at the same places. It is not the chance of a crime,
    and it does not cover events the department does not know of yet. Zones name places, not
    persons. For the points of offenses that are never mapped, do not call this.
    """
    days = whole_days(times)
    today = float(whole_days([as_of])[0])
    reach = table.distance_bands.edges[-1]
    xs, ys = as_points(x, y, largest_distance=reach if np.isfinite(reach) else None)
    if days.shape != xs.shape:
        raise InvalidInput(f"{xs.size} points but {days.size} times; each event needs both.")
    ids = np.arange(days.size) if record_id is None else np.asarray(record_id)
    frame = table.to_frame()
    ratio = frame["ratio_mean"].fillna(0.0).to_numpy(dtype=np.float64)
    counted = frame[
        (frame["q"] <= max_q) & (ratio >= min_ratio) & np.isfinite(frame["distance_to"])
    ]
    dated = pd.api.types.is_numeric_dtype(pd.Series(times)) is False
    rows, shapes = [], []
    tolerance = 0.0
    for band in counted.itertuples():
        low, high = _day_range(band.days_from, band.days_to, table)
        age = today - days
        for k in np.flatnonzero((age >= low - tolerance) & (age <= high + tolerance)):
            rows.append(
                {
                    "event": ids[k],
                    "inner_distance": band.distance_from,
                    "outer_distance": band.distance_to,
                    "opens": days[k] + low,
                    "closes": days[k] + high,
                    "days_left": days[k] + high - today,
                    "ratio": band.ratio_mean,
                    "q": band.q,
                    "_order": (days[k], xs[k], ys[k]),
                }
            )
            shapes.append(_ring(xs[k], ys[k], band.distance_from, band.distance_to, table.metric))
    columns = ["event", "inner_distance", "outer_distance", "opens", "closes", "days_left"]
    if not rows:
        empty = pd.DataFrame({c: pd.Series(dtype="float64") for c in [*columns, "ratio", "q"]})
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
    out = gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)
    out = out.sort_values(["_order", "inner_distance", "opens"], kind="stable")
    out = out.drop(columns="_order").reset_index(drop=True)
    if dated:
        for column in ("opens", "closes"):
            stamps = out[column].to_numpy(dtype="int64").astype("datetime64[D]")
            out[column] = pd.Series(stamps.astype("datetime64[s]"), index=out.index)
    return out


def _close_pairs(
    x: Any, y: Any, times: Any, max_distance: float, max_days: float, metric: Metric
) -> tuple[Any, Any, Any, Any]:
    if np.isnan(max_days) or max_days < 0:
        raise InvalidInput(f"max_days must not be negative; got {max_days!r}.")
    days = whole_days(times)
    pairs = pairs_within(x, y, max_distance, metric)
    if days.shape != np.shape(x):
        raise InvalidInput(f"{np.size(x)} points but {days.size} times; each event needs both.")
    gap = np.abs(days[pairs.first] - days[pairs.second])
    slack = coordinate_tolerance(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    near = (gap <= max_days + 1e-9) & (pairs.distance <= max_distance + slack)
    return days, pairs.first[near], pairs.second[near], pairs.distance[near]


def _clock(times: Any, days: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Times with their clock hour where they have one, as days."""
    if days.size == 0 or pd.api.types.is_numeric_dtype(pd.Series(times)):
        return days
    stamps = local_timestamps(times).to_numpy().astype("datetime64[s]").astype(np.float64)
    return np.asarray(stamps / 86_400.0)


def _day_range(low: float, high: float, table: KnoxTable) -> tuple[float, float]:
    """First and last whole day after the event that a time band holds."""
    if table.time_bands.closed == "left":
        return float(np.ceil(low)), float(np.ceil(high)) - 1
    first = low == table.time_bands.edges[0]
    return (float(np.ceil(low)) if first else float(np.floor(low)) + 1), float(np.floor(high))


def _ring(x: float, y: float, inner: float, outer: float, metric: Metric) -> Any:
    def disc(radius: float) -> Any:
        radius = positive(radius, "A band's outer distance")
        if metric == "euclidean":
            return shapely.Point(x, y).buffer(radius)
        return shapely.Polygon([(x + radius, y), (x, y + radius), (x - radius, y), (x, y - radius)])

    return disc(outer) if inner <= 0 else disc(outer).difference(disc(inner))
