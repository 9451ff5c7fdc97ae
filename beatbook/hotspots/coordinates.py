"""Coordinates that distances may be taken of: one length for x and y, finite, projected."""

from typing import Any

import numpy as np
import numpy.typing as npt

from beatbook.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]

_ADVICE = (
    "Project the points first, for example frame.to_crs(settings.crs) with the projected system "
    "named under crs in department.yaml (such as EPSG:26985), then take x and y in meters."
)


def require_projected(crs_or_coordinates: Any, *, largest_distance: float | None = None) -> None:
    """Refuse longitude and latitude where a distance is about to be taken.

    Parameters
    ----------
    crs_or_coordinates
        A coordinate system (pyproj ``CRS``, EPSG number or text), anything with a ``.crs``
        (GeoDataFrame, GeoSeries), or a pair of arrays ``(x, y)``.
    largest_distance
        The longest distance the caller will use, in the unit of the coordinates. Only used for
        bare arrays, which carry no coordinate system.

    Raises
    ------
    InvalidInput
        If the system is geographic or absent on a frame; or if bare arrays lie where American
        longitudes and latitudes lie (-180..-64 by 13..72, in either order), span less than five
        units, and the distance is more than twenty times that span. No department's projected
        system puts a city there, and a search radius twenty times the city is a unit mistake.

    Notes
    -----
    Bare arrays elsewhere in the world cannot be told from small projected ones; hand over the
    coordinate system where it is known.
    """
    if isinstance(crs_or_coordinates, tuple) and len(crs_or_coordinates) == 2:
        x, y = (np.asarray(a, dtype=float) for a in crs_or_coordinates)
        if _looks_geographic(x, y, largest_distance):
            raise InvalidInput(
                "These coordinates look like longitude and latitude (degrees): "
                f"x from {x.min():.4f} to {x.max():.4f}, y from {y.min():.4f} to {y.max():.4f}. "
                f"A distance in degrees means nothing on the ground. {_ADVICE}"
            )
        return
    crs = crs_or_coordinates
    if hasattr(crs, "crs"):
        crs = crs.crs
        if crs is None:
            raise InvalidInput(
                "These points carry no coordinate system, so their unit is unknown. Say which one "
                "they are in with frame.set_crs(...). " + _ADVICE
            )
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise InvalidInput(
            f"{crs!r} is not a coordinate system that pyproj knows. Write it like EPSG:26985."
        ) from error
    if system.is_geographic:
        raise InvalidInput(
            f"{system.to_string()} is longitude and latitude (degrees); a distance in degrees "
            f"means nothing on the ground. {_ADVICE}"
        )


def planar_xy(points: Any) -> tuple[FloatArray, FloatArray]:
    """Return x and y of a GeoDataFrame, a GeoSeries or a frame with columns ``x`` and ``y``.

    Raises
    ------
    InvalidInput
        For longitude and latitude, missing or empty geometry, or geometry other than points.
    """
    if hasattr(points, "geometry"):
        require_projected(points)
        geometry = points.geometry
        if bool((geometry.isna() | geometry.is_empty).any()):
            raise InvalidInput(
                "Some rows have no location. Keep the rows whose location_quality is exact or "
                "block, and print the share left out."
            )
        if not bool((geometry.geom_type == "Point").all()):
            raise InvalidInput("Points are needed here; some geometry is of another kind.")
        return as_points(geometry.x.to_numpy(), geometry.y.to_numpy())
    if not {"x", "y"} <= set(points.columns):
        raise InvalidInput("The frame needs columns x and y (projected, meters).")
    return as_points(points["x"].to_numpy(), points["y"].to_numpy())


def as_points(
    x: Any, y: Any, *, largest_distance: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Check x and y and return them as float arrays.

    Raises
    ------
    InvalidInput
        For arrays of unequal length, values that are missing or infinite, values that are no
        numbers, or what looks like longitude and latitude.
    """
    try:
        xs = np.ascontiguousarray(x, dtype=np.float64)
        ys = np.ascontiguousarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("x and y must be numbers (projected coordinates, meters).") from error
    if xs.ndim != 1 or xs.shape != ys.shape:
        raise InvalidInput(
            f"x and y must be two plain columns of one length; got {xs.shape} and {ys.shape}."
        )
    bad = int((~(np.isfinite(xs) & np.isfinite(ys))).sum())
    if bad:
        raise InvalidInput(
            f"{bad} of {xs.size} points have a missing or infinite coordinate. Leave out rows "
            "whose location_quality is missing, and print the share left out."
        )
    require_projected((xs, ys), largest_distance=largest_distance)
    return xs, ys


def positive(value: float, name: str) -> float:
    """Return ``value`` if it is a finite number above zero; raise InvalidInput naming it if not."""
    if not np.isfinite(value) or value <= 0:
        raise InvalidInput(f"{name} must be a number above 0; got {value!r}.")
    return float(value)


def _looks_geographic(x: FloatArray, y: FloatArray, largest_distance: float | None) -> bool:
    if x.size == 0 or largest_distance is None:
        return False
    span = max(np.ptp(x), np.ptp(y))
    if span > 5 or (np.all(x == np.round(x)) and np.all(y == np.round(y))):
        return False

    def within(lon: FloatArray, lat: FloatArray) -> bool:
        return bool(lon.min() >= -180 and lon.max() <= -64 and lat.min() >= 13 and lat.max() <= 72)

    return bool((within(x, y) or within(y, x)) and largest_distance > 20 * span)
