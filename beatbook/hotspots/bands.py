"""Bands of distance or time whose labels say which edge belongs to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from beatbook.errors import InvalidInput

Closed = Literal["left", "right"]


@dataclass(frozen=True)
class Bands:
    """Consecutive intervals between ``edges``.

    ``closed="left"``: [a, b), the lower edge belongs to the band. ``closed="right"``: (a, b], the
    upper edge belongs to it, and the first band also holds its own lower edge: [a, b].
    """

    edges: tuple[float, ...]
    closed: Closed

    @classmethod
    def of(cls, edges: Sequence[float], closed: Closed, name: str) -> "Bands":
        """Check edges (ascending, not negative, at least two; the last may be infinite)."""
        values = tuple(float(e) for e in edges)
        if len(values) < 2 or any(b <= a for a, b in pairwise(values)):
            raise InvalidInput(
                f"{name} needs at least two edges in ascending order, such as (0, 100, 200); "
                f"got {list(values)}."
            )
        if not values[0] >= 0:
            raise InvalidInput(f"{name} must not be negative; got {values[0]}.")
        if closed not in ("left", "right"):
            raise InvalidInput(f'closed is "left", [a, b), or "right", (a, b]; got {closed!r}.')
        return cls(values, closed)

    @property
    def labels(self) -> list[str]:
        """Interval notation of each band, for example ``[0, 200)``."""
        pairs = list(pairwise(self.edges))
        if self.closed == "left":
            return [f"[{a:g}, {b:g})" for a, b in pairs]
        return [f"{'[' if k == 0 else '('}{a:g}, {b:g}]" for k, (a, b) in enumerate(pairs)]

    def index(self, values: npt.ArrayLike, tolerance: float = 0.0) -> npt.NDArray[np.int64]:
        """Return the band of each value, -1 outside all of them.

        A value within ``tolerance`` of an edge counts as lying on it, so that rounding in the
        last digits of a coordinate does not move a pair across an edge.
        """
        value = np.asarray(values, dtype=np.float64)
        edges = np.asarray(self.edges)
        slack = np.where(np.isfinite(edges), tolerance + 4 * np.finfo(float).eps * edges, 0.0)
        if self.closed == "left":
            band = np.searchsorted(edges - slack, value, side="right") - 1
        else:
            band = np.searchsorted(edges + slack, value, side="left") - 1
            band[(band == -1) & (value >= edges[0] - slack[0])] = 0
        if self.closed == "left" and np.isinf(edges[-1]):
            band[np.isposinf(value)] = -1
        band[(band < 0) | (band >= len(edges) - 1)] = -1
        return band
