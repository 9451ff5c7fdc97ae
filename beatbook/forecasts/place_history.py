"""What a place forecast may look at: events on a grid, up to a cutoff."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from beatbook.errors import InvalidInput
from beatbook.hotspots.grid import Grid

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAY = pd.Timedelta(days=1)
AsOf = Callable[[pd.Timestamp], pd.Timestamp]

_NEVER = np.iinfo(np.int64).max


def _everything(_cutoff: int) -> int:
    return _NEVER


@dataclass(frozen=True)
class PlaceHistory:
    """Events of one offense (``kind`` 0) and of those that help to foresee it (1, 2, ...).

    ``day`` counts from the first event of all, ``cutoff`` is the first day that is not known:
    every method looks at events with ``day < cutoff`` only. ``came`` is the day from which the
    books held each event, and ``book`` says up to which day the book of a cutoff reaches: an
    event that came later is unknown there. ``places`` are rows of one number a cell (density of
    liquor licenses, say). Made by `make_history`; `at` gives it another cutoff.
    """

    grid: Grid
    start: pd.Timestamp
    day: IntArray
    x: FloatArray
    y: FloatArray
    cell: IntArray
    kind: IntArray
    places: FloatArray
    cutoff: int
    came: IntArray
    book: Callable[[int], int]
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def at(self, cutoff: int) -> "PlaceHistory":
        """Return the same history with another cutoff (sharing what does not depend on it)."""
        return PlaceHistory(self.grid, self.start, self.day, self.x, self.y, self.cell, self.kind,
                            self.places, cutoff, self.came, self.book, self._kept)  # fmt: skip

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.grid)

    @property
    def kinds(self) -> int:
        """Number of offenses, the one asked for included."""
        return int(self.kind.max()) + 1 if self.kind.size else 1

    def known(self, kind: int = 0) -> npt.NDArray[np.bool_]:
        """Return which events are of a kind, before the cutoff and known to its book."""
        key = ("known", kind, self.cutoff)
        if key not in self._kept:
            inside = (self.kind == kind) & (self.day < self.cutoff)
            self._kept[key] = inside & (self.came <= self.book(self.cutoff))
        kept: npt.NDArray[np.bool_] = self._kept[key]
        return kept

    def count(self, first: int, end: int, kind: int = 0) -> FloatArray:
        """Count events a cell on days ``first`` to ``end`` (not included), before the cutoff."""
        rows = self.known(kind) & (self.day >= first) & (self.day < end)
        return np.bincount(self.cell[rows], minlength=self.cells).astype(float)

    def weights(self, half_lives: Sequence[float], until: int, kind: int = 0) -> FloatArray:
        """Return one weight an event and half-life: 0.5 to the power of age over half-life.

        Zero for what the book of day ``until`` did not hold, even if a later one does: maps for
        past windows then lack their late records as the map of the cutoff lacks its own.
        """
        until = min(until, self.cutoff)
        rows = self.kind == kind
        held = self.came[rows] <= self.book(until)
        age = np.where(held, np.maximum(until - self.day[rows], 0), 0)
        table = 0.5 ** (np.arange(int(age.max(initial=0)) + 1)[:, None] / np.asarray(half_lives))
        table[0] = 0.0
        return np.asarray(table[age])

    def smoothed(self, weights: FloatArray, bandwidth: float, kind: int = 0) -> FloatArray:
        """Gaussian-smooth weighted events onto the cells: events a cell, one column a weight.

        Up to three quarters of a cell from each event's own point; wider, from cell counts on the
        lattice, which at that width is the same map.
        """
        size = self.grid.cell_size
        if bandwidth > 0.75 * size:
            return self.spread(self.binned(weights, kind), bandwidth)
        key = ("kernel", kind, bandwidth)
        if key not in self._kept:
            rows = self.kind == kind
            points = cKDTree(np.column_stack([self.x[rows], self.y[rows]]))
            centers = cKDTree(np.column_stack([self.grid.x, self.grid.y]))
            near = centers.sparse_distance_matrix(points, 3.5 * bandwidth, output_type="coo_matrix")
            kernel = csr_array(near)
            kernel.sort_indices()
            kernel.data = np.exp(-0.5 * (kernel.data / bandwidth) ** 2) * (
                size**2 / (2 * np.pi * bandwidth**2))  # fmt: skip
            self._kept[key] = kernel
        return np.asarray(self._kept[key] @ weights)

    def binned(self, weights: FloatArray, kind: int = 0) -> FloatArray:
        """Sum weights a cell, one column a weight."""
        cell = self.cell[self.kind == kind]
        columns = [np.bincount(cell, w, self.cells) for w in weights.T]
        return np.column_stack(columns)

    def spread(self, values: FloatArray, bandwidth: float) -> FloatArray:
        """Gaussian-smooth cell values over the lattice; what leaves the city is lost."""
        column, row, shape = self.lattice()
        out = np.empty_like(values)
        for j in range(values.shape[1]):
            raster = np.zeros(shape)
            raster[column, row] = values[:, j]
            smooth = gaussian_filter(raster, bandwidth / self.grid.cell_size, mode="constant")
            out[:, j] = smooth[column, row]
        return out

    def lattice(self) -> tuple[IntArray, IntArray, tuple[int, int]]:
        """Return each cell's column and row from 0, and the shape of the raster around them."""
        column = self.grid.column - self.grid.column.min()
        row = self.grid.row - self.grid.row.min()
        return column, row, (int(column.max()) + 1, int(row.max()) + 1)

    def expected_total(self, days: int) -> float:
        """Return how many events the next ``days`` will hold: the discounted recent rate.

        Half-life 60 days: the season moves within months, and only the map's scale hangs on it,
        never which cells are chosen.
        """
        # Summed over known events alone: zeros for later ones would regroup the sum's rounding.
        w = 0.5 ** ((self.cutoff - self.day[self.known()]) / 60.0)
        observed = max(self.cutoff - int(self.day.min(initial=0)), 1)
        exposure = (1 - 0.5 ** (observed / 60)) / (1 - 0.5 ** (1 / 60)) * 0.5 ** (1 / 60)
        return float(w.sum() / exposure * days)


def make_history(
    events: pd.DataFrame,
    grid: Grid,
    *,
    offense: str | None = None,
    cutoff: pd.Timestamp | None = None,
    places: FloatArray | None = None,
    as_known: AsOf | None = None,
) -> PlaceHistory:
    """Lay events on a grid.

    Parameters
    ----------
    events
        ``date, x, y`` in the unit of the grid, and ``offense`` if there are several kinds. Events
        outside every cell are left out.
    offense
        The kind to forecast; the others are context. Needed if there are several.
    cutoff
        First day that is not known; by default the day after the last event.
    places
        One row a kind of place, one number a cell.
    as_known
        Called with a cutoff, it returns the last day whose records its book holds; the events
        then need ``known_on``. Without it every event counts as known from its own day on.

    Raises
    ------
    InvalidInput
        For missing columns or values, a hexagonal grid, or no event of the offense.
    """
    lacking = [c for c in ("date", "x", "y") if c not in events.columns]
    if lacking:
        raise InvalidInput(f"The events lack {', '.join(lacking)}; they have date, x and y.")
    if grid.shape != "square":
        raise InvalidInput("Place forecasts are made on a grid of squares.")
    try:
        date = pd.to_datetime(events["date"]).dt.normalize()
        x, y = events["x"].to_numpy(float), events["y"].to_numpy(float)
    except (TypeError, ValueError) as error:
        raise InvalidInput("date must hold dates, x and y numbers in the events.") from error
    if date.isna().any() or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InvalidInput("An event has no date or no coordinate; leave it out and say how many.")
    kinds = events["offense"].astype(str) if "offense" in events else pd.Series("", events.index)
    names = sorted(kinds.unique())
    if offense is None:
        if len(names) != 1:
            raise InvalidInput(f"Say which offense to forecast: one of {', '.join(names)}.")
        offense = names[0]
    if offense not in names:
        raise InvalidInput(f"There is no event of {offense}.")
    number = {offense: 0} | {n: i + 1 for i, n in enumerate(n for n in names if n != offense)}
    cell = grid.locate(x, y)
    if as_known is not None and ("known_on" not in events or events["known_on"].isna().any()):
        raise InvalidInput("A history as known needs known_on for every event.")
    known = events["known_on"] if as_known is not None else date
    frame = pd.DataFrame({"date": date, "x": x, "y": y, "cell": cell, "known_on": known,
                          "kind": kinds.map(number).to_numpy()})  # fmt: skip
    frame = frame[cell >= 0].sort_values(["date", "x", "y", "kind", "known_on"], kind="stable")
    if frame.empty:
        raise InvalidInput("No event lies on the grid: check that both are in one unit.")
    start = frame["date"].iloc[0]
    day = ((frame["date"] - start) // DAY).to_numpy(np.int64)
    end = int((pd.Timestamp(cutoff).normalize() - start) / DAY) if cutoff is not None else int(
        day[-1]) + 1  # fmt: skip
    rows = np.zeros((0, len(grid))) if places is None else np.atleast_2d(np.asarray(places, float))
    if rows.shape[1] != len(grid) or not np.isfinite(rows).all() or (rows < 0).any():
        raise InvalidInput("places must be rows of one number, not below 0, a cell.")
    came = ((frame["known_on"].dt.normalize() - start) // DAY).to_numpy(np.int64)
    book = _everything if as_known is None else _book_of(as_known, start)
    return PlaceHistory(
        grid, start, day, frame["x"].to_numpy(), frame["y"].to_numpy(),
        frame["cell"].to_numpy(np.int64), frame["kind"].to_numpy(np.int64), rows, end, came, book,
    )  # fmt: skip


def _book_of(as_known: AsOf, start: pd.Timestamp) -> Callable[[int], int]:
    kept: dict[int, int] = {}

    def book(cutoff: int) -> int:
        if cutoff not in kept:
            kept[cutoff] = int((as_known(start + cutoff * DAY) - start) / DAY)
        return kept[cutoff]

    return book


def density_of_places(grid: Grid, x: FloatArray, y: FloatArray, bandwidth: float) -> FloatArray:
    """Return how many places (liquor licenses, say) lie near each cell's center.

    Gaussian weights, 1 at the center; ``bandwidth`` in the grid's unit. Use places as they stood
    at the cutoff, or ones that hardly move; a layer of today's licenses knows a little of the
    future.
    """
    points = cKDTree(np.column_stack([x, y]))
    centers = cKDTree(np.column_stack([grid.x, grid.y]))
    near = csr_array(
        centers.sparse_distance_matrix(points, 4 * bandwidth, output_type="coo_matrix")
    )
    near.data = np.exp(-0.5 * (near.data / bandwidth) ** 2)
    return np.asarray(near.sum(axis=1)).ravel()
