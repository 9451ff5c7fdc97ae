"""Kernel density against a plain double sum, its integral, ratio and edge share."""

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput
from beatbook.hotspots import density

GRID = hs.make_grid(shapely.box(0, 0, 6000, 9000), 250)


def brute(x, y, u, v, b, kernel, w=None):
    d = ((u[:, None] - x) ** 2 + (v[:, None] - y) ** 2) / b**2
    if kernel == "gaussian":
        term = np.exp(-d / 2) / (2 * np.pi * b**2)
    else:
        term = 3 / (np.pi * b**2) * np.clip(1 - d, 0, None) ** 2
    return term @ (np.ones(len(x)) if w is None else w)


def incidents(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-800, 7000, n), rng.uniform(-800, 9900, n)


@pytest.mark.parametrize("shape", ["square", "hexagonal"])
@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize("bandwidth", [60.0, 300.0, 1000.0, 20_000.0])
def test_density_equals_a_brute_force_sum(shape, kernel, bandwidth):
    grid = hs.make_grid(shapely.box(0, 0, 6000, 9000), 250, shape=shape)
    x, y = incidents()
    found = hs.kernel_density(x, y, grid.x, grid.y, bandwidth, kernel=kernel)
    assert np.allclose(
        found, brute(x, y, grid.x, grid.y, bandwidth, kernel), rtol=1e-9, atol=1e-140
    )


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
def test_places_off_any_lattice_weights_and_piles_are_exact_too(kernel):
    x, y = incidents(8000)
    x, y = np.round(x, -3), np.round(y, -3)
    rng = np.random.default_rng(1)
    w = rng.normal(size=x.size)
    u, v = rng.uniform(0, 6000, 50), rng.uniform(0, 9000, 50)
    for at_x, at_y in ((u, v), (GRID.x, GRID.y)):
        found = hs.kernel_density(x, y, at_x, at_y, 400, kernel=kernel, weights=w)
        expected = brute(x, y, at_x, at_y, 400, kernel, w)
        assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


def test_a_place_far_from_everything_keeps_its_digits():
    x, y = incidents(200)
    found = hs.kernel_density(x + 4800, y, GRID.x, GRID.y, 250, kernel="gaussian")
    expected = brute(x + 4800, y, GRID.x, GRID.y, 250, "gaussian")
    assert expected.min() < 1e-40
    assert np.allclose(found, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
def test_density_adds_up_to_the_incidents(kernel):
    wide = hs.make_grid(shapely.box(-6000, -6000, 12_000, 15_000), 100)
    x, y = incidents(500)
    found = hs.kernel_density(x, y, wide.x, wide.y, 700, kernel=kernel)
    assert found.sum() * 100**2 == pytest.approx(500, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 9000)), max_size=20),
    st.randoms(use_true_random=False),
    st.sampled_from([1.0, 3.2808399]),
    st.sampled_from(["quartic", "gaussian"]),
)
def test_order_and_unit_change_nothing(rows, random, unit, kernel):
    table = np.array(rows, dtype=float).reshape(-1, 2)
    order = np.array(random.sample(range(len(rows)), len(rows)), dtype=int)
    plain = hs.kernel_density(table[:, 0], table[:, 1], GRID.x, GRID.y, 500, kernel=kernel)
    moved = hs.kernel_density(
        table[order, 0] * unit, table[order, 1] * unit,
        GRID.x * unit, GRID.y * unit, 500 * unit, kernel=kernel,
    )  # fmt: skip
    assert np.allclose(moved * unit**2, plain, rtol=1e-9, atol=1e-16)
    assert np.isfinite(plain).all()


def test_no_incidents_give_zeros():
    assert hs.kernel_density([], [], GRID.x, GRID.y, 500).tolist() == [0.0] * len(GRID)
    assert hs.kernel_density([1.0], [1.0], [], [], 500).size == 0


def test_incidents_on_one_spot_are_put_together():
    x, y = incidents(6000)
    x, y = np.round(x, -3), np.round(y, -3)  # -0.0 among them
    px, py, weight = density._piled(x, y, None)
    expected = dict(Counter(zip(x.tolist(), y.tolist(), strict=True)))
    assert dict(zip(zip(px, py, strict=True), weight, strict=True)) == expected


def test_edge_share_is_one_inside_and_half_at_a_straight_edge():
    share = hs.edge_share(GRID, 700)
    middle = (abs(GRID.x - 3000) < 1000) & (abs(GRID.y - 4500) < 1000)
    assert share[middle] == pytest.approx(1.0)
    side = (GRID.x < 250) & (abs(GRID.y - 4500) < 1000)
    assert np.all((share[side] > 0.5) & (share[side] < 0.75))
    assert (hs.edge_share(GRID, 300, kernel="gaussian") <= 1).all()


def test_ratio_says_where_there_is_too_little_to_compare():
    ratio = hs.density_ratio([2.0, 1.0, 0.0], [4.0, 0.001, 0.0])
    assert ratio["status"].tolist() == ["ratio", "too little to compare", "too little to compare"]
    assert ratio["ratio"][0] == 0.5
    assert ratio["ratio"].isna().tolist() == [False, True, True]
    nothing = hs.density_ratio([0.0, 0.0], [0.0, 0.0])
    assert nothing["relative_risk"].isna().all()


def test_refusals():
    with pytest.raises(InvalidInput, match="to_crs"):
        hs.kernel_density([-90.21, -90.2], [38.61, 38.6], [-90.2], [38.6], 500)
    with pytest.raises(InvalidInput, match="above 0"):
        hs.kernel_density([1.0], [1.0], [1.0], [1.0], 0)
    with pytest.raises(InvalidInput, match="1 of 2 points"):
        hs.kernel_density([1.0, np.nan], [1.0, 1.0], [1.0], [1.0], 500)
    with pytest.raises(InvalidInput, match="quartic"):
        hs.kernel_density([1.0], [1.0], [1.0], [1.0], 5, kernel="uniform")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="numbers"):
        hs.kernel_density(["a"], [1.0], [1.0], [1.0], 5)
