"""Kernel density: incidents a square unit, smoothed over a stated distance, exact."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import FloatArray, as_points, positive
from beatbook.hotspots.grid import Grid, centers, steps

Kernel = Literal["quartic", "gaussian"]
IntArray = npt.NDArray[np.int64]

# Points of a tile: few enough that rows of them stay in the second-level cache, many enough
# that the work outweighs the calls.
_TILE_POINTS = 6000
# Gaussian terms farther than this many bandwidths along an axis are dropped: first the near
# reach, and where a place turns out so empty that the dropped terms could show in its twelfth
# digit, all is done again with the far one (1e-147 of the peak).
_NEAR, _FAR = 12.0, 26.0
# Smaller terms within a tile's window are held at this value: numbers near the smallest a float
# can hold are slow to multiply.
_LEAST = 1e-150


def kernel_density(
    x: Any,
    y: Any,
    at_x: Any,
    at_y: Any,
    bandwidth: float,
    *,
    kernel: Kernel = "quartic",
    weights: Any = None,
) -> FloatArray:
    """Sum a kernel around every incident at the places asked for.

    Parameters
    ----------
    x, y : incidents, projected (meters).
    at_x, at_y : where the density is wanted; for a map ``grid.x, grid.y``. Places on a lattice (a
        square or hexagonal grid) are answered fast, any others exactly as well.
    bandwidth : in the coordinates' unit. For the quartic kernel the distance at which an incident
        stops counting, for the Gaussian its standard deviation. A quartic of 2.78 times the
        Gaussian's bandwidth smooths about as much. For street crime 500 m (quartic) is a common
        start: a few blocks around an incident. Show the choice on the map; it decides how many
        hot spots there seem to be.
    kernel : ``"quartic"`` (default: local, and what crime-mapping software draws) or
        ``"gaussian"`` (no cut-off).
    weights : one a point; 1 each if not given. -1 cancels an earlier record.

    Returns
    -------
    Density in incidents a square unit (times 1e6 for incidents a square kilometer from meters);
    its integral over the plane is the sum of weights. No incidents give zeros.

    Notes
    -----
    Exact: no binning, and Gaussian terms are dropped only where they cannot show in the twelfth
    digit, or are below 1e-140 of the peak. Part of the kernel falls outside the city; `edge_share`
    tells which part. The density is a description; it has no test, so put a Gi* layer beside it.

    Source: Silverman (1986), Density estimation; quartic form as in Bailey and Gatrell (1995).
    """
    bandwidth = positive(bandwidth, "bandwidth")
    xs, ys = as_points(x, y, largest_distance=bandwidth)
    us, vs = as_points(at_x, at_y, largest_distance=bandwidth)
    if kernel not in ("quartic", "gaussian"):
        raise InvalidInput(f'kernel is "quartic" or "gaussian"; got {kernel!r}.')
    w = None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    if w is not None and (w.shape != xs.shape or not np.all(np.isfinite(w))):
        raise InvalidInput("weights must be one finite number a point.")
    if xs.size == 0 or us.size == 0:
        return np.zeros(us.size)
    xs, ys, w = _piled(xs, ys, w)
    lattice = _lattice(us, vs)
    if kernel == "gaussian":
        return _gaussian(xs, ys, us, vs, bandwidth, w, lattice)
    # A stencil of more cells than there are places would mostly write beside them.
    steps_across = [min(axis.step, bandwidth) or bandwidth for axis in lattice or ()]
    stencil = float(np.prod([2 * bandwidth / s + 2 for s in steps_across]))
    if stencil > 2 * us.size:
        return _quartic_all_pairs(xs, ys, us, vs, bandwidth, w)
    if lattice is None or lattice[0].step > bandwidth or lattice[1].step > bandwidth:
        return _quartic_anywhere(xs, ys, us, vs, bandwidth, w)
    return _quartic_lattice(xs, ys, lattice, bandwidth, w)


def density_ratio(
    numerator: Any, denominator: Any, *, least_denominator: float | None = None
) -> pd.DataFrame:
    """Divide one density by another: incidents against population, or against other incidents.

    Parameters
    ----------
    numerator, denominator : densities at the same places (`kernel_density`).
    least_denominator : where the denominator is at or below it no ratio is given. Default: 1 % of
        its largest value, below which the ratio of two near-empty places is noise.

    Returns
    -------
    ``numerator``, ``denominator``, ``ratio`` (Float64, <NA> where not given), ``relative_risk``
    (the ratio over that of the two totals; 1 is the layer's average), ``status`` ("ratio" or "too
    little to compare").

    Source: Kelsall and Diggle (1995), Kernel estimation of relative risk, Bernoulli 1; dual
    kernel as in CrimeStat.
    """
    a = np.asarray(numerator, dtype=np.float64)
    b = np.asarray(denominator, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InvalidInput("Both densities must be finite and of the same places.")
    top = float(b.max()) if b.size else 0.0
    least = 0.01 * top if least_denominator is None else least_denominator
    known = b > max(least, 0.0)
    ratio = np.full(a.shape, np.nan)
    np.divide(a, b, out=ratio, where=known)
    total = float(a.sum() / b.sum()) if b.sum() > 0 else 0.0
    risk = ratio / total if total > 0 else np.where(known, 0.0, np.nan)
    return pd.DataFrame(
        {
            "numerator": a,
            "denominator": b,
            "ratio": pd.array(ratio, dtype="Float64"),
            "relative_risk": pd.array(risk, dtype="Float64"),
            "status": np.where(known, "ratio", "too little to compare"),
        }
    )


def edge_share(
    grid: Grid, bandwidth: float, *, kernel: Kernel = "quartic", finer: int = 4
) -> FloatArray:
    """Return the share of each cell's kernel that lies inside the outline (0 to 1].

    Dividing a density by it makes up for incidents beyond the city that the feed does not hold
    (Diggle 1985): ``kernel_density(...) / edge_share(...)``. Near a corner it doubles or
    quadruples few incidents, so leave it out where the neighbor's crime is on the map.

    ``finer`` cells a side measure the outline (4: 62.5 m for 250 m cells).
    """
    import shapely

    bandwidth = positive(bandwidth, "bandwidth")
    if len(grid) == 0:
        return np.zeros(0)
    step = grid.cell_size / max(finer, 1)
    reach = bandwidth if kernel == "quartic" else 5 * bandwidth
    box = np.array(
        [[grid.x.min() - reach, grid.x.max() + reach], [grid.y.min() - reach, grid.y.max() + reach]]
    )
    columns, rows = steps("square", step, grid.origin, box[0], box[1])
    c, r = np.meshgrid(
        np.arange(columns[0] - 1, columns[1] + 2), np.arange(rows[0] - 1, rows[1] + 2)
    )
    px, py = centers("square", step, grid.origin, c.ravel(), r.ravel())
    shapely.prepare(grid.outline)
    inside = shapely.intersects_xy(grid.outline, px, py).astype(np.float64)
    mass = kernel_density(px, py, grid.x, grid.y, bandwidth, kernel=kernel, weights=inside)
    whole = kernel_density(px, py, grid.x, grid.y, bandwidth, kernel=kernel)
    # A cell that the outline barely touches may hold none of the finer points.
    least = 0.01
    return np.clip(mass / np.maximum(whole, np.finfo(float).tiny), least, 1.0)


def _piled(
    x: FloatArray, y: FloatArray, w: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Put incidents on one spot together as one weighted point, where that saves work.

    Hundred-block coordinates repeat: 100,000 incidents of St. Louis lie on 39,000 spots.
    """
    if x.size < 5000:
        return x, y, w
    odd = np.uint64(0x9E3779B97F4A7C15)
    # Adding 0.0 turns -0.0 into 0.0, the same spot with other bits.
    key = (x + 0.0).view(np.uint64) * odd
    key = ((key ^ (key >> np.uint64(32))) + (y + 0.0).view(np.uint64)) * odd
    order = np.argsort(key)
    ordered = key[order]
    fresh = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    spots = order[fresh]
    if spots.size > 0.8 * x.size:
        return x, y, w
    group = np.empty(x.size, dtype=np.int64)
    group[order] = np.cumsum(fresh) - 1
    if not (np.array_equal(x[spots][group], x) and np.array_equal(y[spots][group], y)):
        return x, y, w  # two spots of one key: leave them apart
    return x[spots], y[spots], np.bincount(group, weights=w).astype(np.float64)


class _Axis:
    """Equally spaced positions and the index of each place among them."""

    def __init__(self, values: FloatArray) -> None:
        self.positions, self.index = _distinct(values)
        gaps = np.diff(self.positions)
        self.step = float(gaps.min()) if gaps.size else 0.0
        self.even = bool(
            gaps.size == 0
            or np.allclose(gaps / self.step, np.rint(gaps / self.step), rtol=0, atol=1e-6)
        )
        if self.even and gaps.size:
            place = np.rint((self.positions - self.positions[0]) / self.step).astype(np.int64)
            full = self.positions[0] + np.arange(place[-1] + 1) * self.step
            full[place] = self.positions
            self.positions, self.index = full, place[self.index]


def _distinct(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distinct values, those within rounding of each other being one."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    slack = 1e-9 * max(float(np.abs(values).max()), 1e-300)
    fresh = np.concatenate([[True], np.diff(ordered) > slack])
    number = np.cumsum(fresh) - 1
    index = np.empty(values.size, dtype=np.int64)
    index[order] = number
    return ordered[fresh], index


def _lattice(u: FloatArray, v: FloatArray) -> tuple[_Axis, _Axis] | None:
    """Return the axes if the places fill at least an eighth of an evenly spaced lattice."""
    across, up = _Axis(u), _Axis(v)
    size = across.positions.size * up.positions.size
    return (across, up) if across.even and up.even and size <= 8 * u.size + 64 else None


def _gaussian_rows(x: FloatArray, positions: FloatArray, step: float, b: float) -> FloatArray:
    """Return exp(-(x - position)^2 / 2b^2), positions by points, for points close together.

    Between neighboring positions the exponent changes by a linear term, so starting from the
    position nearest the points each row follows from the one before by two products instead of
    an exponential, which costs ten times as much.
    """
    out = np.empty((positions.size, x.size))
    if positions.size == 0:
        return out
    middle = (x.min() + x.max()) / 2
    anchor = int(np.argmin(np.abs(positions - middle)))
    if step <= 0 or np.ptp(x) > 16 * b or step > 8 * b:
        for row, at in zip(out, positions, strict=True):
            np.exp(((x - at) / b) ** 2 * -0.5, out=row)
        return np.maximum(out, _LEAST, out=out)
    offset = (x - positions[anchor]) / b
    out[anchor] = np.exp(-0.5 * offset**2)
    h = step / b
    factor = float(np.exp(-(h**2)))
    onward, back = range(anchor + 1, positions.size), range(anchor - 1, -1, -1)
    for direction, rows in ((1, onward), (-1, back)):
        ratio = np.exp(direction * h * offset - 0.5 * h**2)
        for k in rows:
            np.multiply(out[k - direction], ratio, out=out[k])
            np.maximum(out[k], _LEAST, out=out[k])
            np.multiply(ratio, factor, out=ratio)
    return out


def _window(x: FloatArray, axis: _Axis, reach: float) -> slice:
    low = np.searchsorted(axis.positions, x.min() - reach, side="left")
    high = np.searchsorted(axis.positions, x.max() + reach, side="right")
    return slice(int(low), int(high))


def _tiles(x: FloatArray, y: FloatArray, b: float) -> list[IntArray]:
    """Group points into tiles small enough to share an anchor, of a few thousand points."""
    spans = [max(float(np.ptp(a)), 1e-9) for a in (x, y)]
    enough = int(np.ceil(np.sqrt(x.size / _TILE_POINTS)))
    count = [max(1, min(max(enough, int(np.ceil(s / (16 * b)))), 64)) for s in spans]
    i = np.minimum((x - x.min()) / spans[0] * count[0], count[0] - 1).astype(np.int64)
    j = np.minimum((y - y.min()) / spans[1] * count[1], count[1] - 1).astype(np.int64)
    tile = i * count[1] + j
    order = np.argsort(tile, kind="stable")
    return [t for t in np.split(order, np.cumsum(np.bincount(tile))[:-1]) if t.size]


def _gaussian(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, b: float,
    w: FloatArray | None, lattice: tuple[_Axis, _Axis] | None,
) -> FloatArray:  # fmt: skip
    scale = 1.0 / (2 * np.pi * b**2)
    if lattice is None:
        out = np.zeros(u.size)
        rows = max(1, 4_000_000 // x.size)
        for k in range(0, u.size, rows):
            part = slice(k, k + rows)
            d = (u[part, None] - x) ** 2 + (v[part, None] - y) ** 2
            term = np.exp(d * (-0.5 / b**2))
            out[part] = term.sum(axis=1) if w is None else term @ w
        return out * scale
    across, up = lattice
    tiles = _tiles(x, y, b)
    for reach in (_NEAR, _FAR):
        total = np.zeros((across.positions.size, up.positions.size))
        for tile in tiles:
            tx, ty = x[tile], y[tile]
            wx, wy = _window(tx, across, reach * b), _window(ty, up, reach * b)
            gx = _gaussian_rows(tx, across.positions[wx], across.step, b)
            gy = _gaussian_rows(ty, up.positions[wy], up.step, b)
            if w is not None:
                gy *= w[tile]
            total[wx, wy] += gx @ gy.T
        out = total[across.index, up.index]
        mass = float(x.size if w is None else np.abs(w).sum())
        # Weights of both signs can cancel to any small sum, so they always go the far way.
        safe = w is None or bool(np.all(w >= 0))
        if safe and out.min() > 1e12 * mass * np.exp(-0.5 * _NEAR**2):
            break
    return out * scale


def _quartic_lattice(
    x: FloatArray, y: FloatArray, lattice: tuple[_Axis, _Axis], b: float, w: FloatArray | None
) -> FloatArray:
    across, up = lattice
    nx, ny = across.positions.size, up.positions.size
    # A lattice of one position a side has no step; any works, for no other position exists.
    hx, hy = across.step or b, up.step or b
    x0, y0 = across.positions[0], up.positions[0]
    i = np.floor((x - x0) / hx).astype(np.int64)
    j = np.floor((y - y0) / hy).astype(np.int64)
    rx, ry = int(np.ceil(b / hx)), int(np.ceil(b / hy))
    near = (i >= -rx - 1) & (i <= nx + rx) & (j >= -ry - 1) & (j <= ny + ry)
    x, y, i, j = x[near], y[near], i[near], j[near]
    w = w if w is None else w[near]
    # Padding on all sides lets every point write without a test; the margin is cut off.
    pad_x, pad_y = 2 * rx + 2, 2 * ry + 2
    width = ny + 2 * pad_y
    total = np.zeros((nx + 2 * pad_x) * width)
    base = (i + pad_x) * width + (j + pad_y)
    ey = [((y - (y0 + (j + dj) * hy)) / b) ** 2 for dj in range(-ry, ry + 2)]
    for di in range(-rx, rx + 2):
        rest = 1.0 - ((x - (x0 + (i + di) * hx)) / b) ** 2
        if not np.any(rest > 0):
            continue
        across_gap = hx * (di - 1 if di > 0 else -di)
        for dj in range(-ry, ry + 2):
            up_gap = hy * (dj - 1 if dj > 0 else -dj)
            if across_gap**2 + up_gap**2 >= b**2:
                continue  # no point of a cell reaches that far
            term = rest - ey[dj + ry]
            np.maximum(term, 0.0, out=term)
            np.multiply(term, term, out=term)
            if w is not None:
                term *= w
            total += np.bincount(base + (di * width + dj), weights=term, minlength=total.size)
    picked = total.reshape(nx + 2 * pad_x, width)[across.index + pad_x, up.index + pad_y]
    return np.asarray(picked * (3.0 / (np.pi * b**2)))


def _quartic_all_pairs(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, b: float, w: FloatArray | None
) -> FloatArray:
    out = np.zeros(u.size)
    rows = max(1, 1_000_000 // x.size)
    for k in range(0, u.size, rows):
        part = slice(k, k + rows)
        d = (u[part, None] - x) ** 2 + (v[part, None] - y) ** 2
        term = np.maximum(1.0 - d / b**2, 0.0) ** 2
        out[part] = term.sum(axis=1) if w is None else term @ w
    return out * (3.0 / (np.pi * b**2))


def _quartic_anywhere(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, b: float, w: FloatArray | None
) -> FloatArray:
    out = np.zeros(u.size)
    tree = cKDTree(np.column_stack([x - x[0], y - y[0]]))
    for k in range(0, u.size, 512):
        part = slice(k, k + 512)
        places = np.column_stack([u[part] - x[0], v[part] - y[0]])
        found = tree.query_ball_point(places, b * (1 + 1e-12))
        rows = np.repeat(np.arange(len(places)), [len(f) for f in found])
        if not rows.size:
            continue
        column = np.concatenate([np.asarray(f, dtype=np.int64) for f in found])
        d = ((u[part][rows] - x[column]) ** 2 + (v[part][rows] - y[column]) ** 2) / b**2
        term = np.maximum(1.0 - d, 0.0) ** 2
        if w is not None:
            term *= w[column]
        out[part] = np.bincount(rows, weights=term, minlength=len(places))
    return out * (3.0 / (np.pi * b**2))
