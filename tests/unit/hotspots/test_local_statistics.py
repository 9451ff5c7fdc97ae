"""Gi, Gi* and local Moran against esda, brute force, and what must not change them."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput
from beatbook.hotspots.conditional_permutation import rank_neighbor_sums

GRID = hs.make_grid(shapely.Point(5000, 5000).buffer(2500), 250)


def counts(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).poisson(2, len(GRID)).astype(float)


def as_libpysal(matrix):
    libpysal = pytest.importorskip("libpysal")
    start = matrix.indptr
    return libpysal.weights.W(
        {i: matrix.indices[start[i] : start[i + 1]].tolist() for i in range(matrix.shape[0])},
        silence_warnings=True,
    )


@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize(("ours", "theirs"), [("binary", "B"), ("row_pysal", "R")])
def test_z_equals_esda(star, ours, theirs):
    esda = pytest.importorskip("esda")
    y, neighbors = counts(), GRID.neighbors()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        published = esda.G_Local(
            y, as_libpysal(neighbors), transform=theirs, star=star, permutations=0
        )
    found = hs.getis_ord(y, neighbors, star=star, weights=ours)
    assert np.abs(found["z"] - published.Zs).max() < 1e-10


def test_row_standardized_weights_do_not_change_z_but_the_local_mean():
    y, neighbors = counts(), GRID.neighbors()
    binary, row = (hs.getis_ord(y, neighbors, weights=w) for w in ("binary", "row"))
    assert np.allclose(binary["z"], row["z"])
    assert np.allclose(row["local"], binary["local"] / (binary["neighbors"] + 1))


def test_local_moran_equals_esda():
    esda = pytest.importorskip("esda")
    y, neighbors = counts(), GRID.neighbors()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        published = esda.Moran_Local(y, as_libpysal(neighbors), permutations=0)
    assert np.abs(hs.local_moran(y, neighbors)["local_i"] - published.Is).max() < 1e-12


def test_both_nulls_of_local_moran_hold_over_all_arrangements():
    y = np.array([1.0, 2.0, 4.0, 8.0, 11.0, 30.0])
    links = hs.neighbor_matrix([0, 0, 1, 2, 3, 4], [1, 2, 2, 3, 4, 5], 6)
    total = hs.local_moran(y, links, null="total")
    held = hs.local_moran(y, links, null="conditional")
    everything = np.array(
        [hs.local_moran(y[list(o)], links)["local_i"] for o in itertools.permutations(range(6))]
    )
    z = (total["local_i"] - everything.mean(axis=0)) / everything.std(axis=0)
    assert np.allclose(total["expected"], everything.mean(axis=0))
    assert np.allclose(total["z"], z)
    for cell in range(6):
        others = [k for k in range(6) if k != cell]
        values = []
        for order in itertools.permutations(others):
            arranged = y.copy()
            arranged[others] = y[list(order)]
            values.append(hs.local_moran(arranged, links)["local_i"].iloc[cell])
        assert held["expected"][cell] == pytest.approx(np.mean(values))
        score = (held["local_i"][cell] - np.mean(values)) / np.std(values)
        assert held["z"][cell] == pytest.approx(score)


def test_permutations_draw_each_cells_neighbors_evenly_from_the_others():
    y = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    links = hs.neighbor_matrix([0, 0, 1, 3, 5], [1, 2, 2, 4, 6], 7)
    sums = np.asarray(links @ y)
    ranks = rank_neighbor_sums(y, links, sums, 20_000, 1)
    for cell in range(7):
        k = int(np.diff(links.indptr)[cell])
        others = np.delete(y, cell)
        exact = [sum(c) >= sums[cell] for c in itertools.combinations(others, k)]
        assert ranks.at_least[cell] / 20_000 == pytest.approx(np.mean(exact), abs=0.015)


def test_permutation_p_agrees_with_esda():
    esda = pytest.importorskip("esda")
    y, neighbors = counts(), GRID.neighbors()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        published = esda.G_Local(
            y, as_libpysal(neighbors), transform="B", star=True, permutations=999,
            seed=1, n_jobs=1, keep_simulations=True,
        )  # fmt: skip
    above = (published.sim >= published.Gs - 1e-12).sum(axis=0)
    ours = hs.getis_ord(y, neighbors, permutations=999, alternative="greater")
    assert np.abs(ours["p_permutation"] - (above + 1) / 1000).max() < 0.1
    assert np.abs(ours["p_permutation"] - (above + 1) / 1000).mean() < 0.02


def test_a_planted_hot_spot_is_found_and_the_tests_are_counted():
    y = counts()
    near = np.hypot(GRID.x - 5000, GRID.y - 5000) < 500
    y[near] += 10
    found = hs.getis_ord(y, GRID.neighbors())
    assert set(found["class"][near]) == {"hot"}
    assert found.attrs == {"tests": len(GRID), "false_discovery_rate": 0.05}
    assert (found["q"] >= found["p"]).all()
    moran = hs.local_moran(y, GRID.neighbors())
    inner = np.hypot(GRID.x - 5000, GRID.y - 5000) < 250
    assert set(moran["class"][inner]) == {"high-high"}


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.floats(-1e4, 1e4), st.sampled_from([1.0, 3.2808399]))
def test_order_shift_and_unit_change_nothing(random, shift, unit):
    n = 30
    x = np.array([random.randint(0, 2000) for _ in range(n)], dtype=float)
    y = np.array([random.randint(0, 2000) for _ in range(n)], dtype=float)
    values = np.array([random.randint(0, 9) for _ in range(n)], dtype=float)
    order = np.array(random.sample(range(n), n))
    plain = hs.getis_ord(values, hs.distance_band(x, y, 500), permutations=49)
    moved = hs.getis_ord(
        values[order],
        hs.distance_band((x[order] + shift) * unit, (y[order] - shift) * unit, 500 * unit),
        permutations=49,
    )
    assert np.allclose(moved["z"], plain["z"].to_numpy()[order])
    assert (moved["class"].to_numpy() == plain["class"].to_numpy()[order]).all()
    # Cells of one value and the same surroundings are told apart by nothing but their row.
    state = pd.DataFrame({"v": values, "k": plain["neighbors"], "l": plain["local"]})
    alone = ~state.duplicated(keep=False).to_numpy()[order]
    same = moved["p_permutation"].to_numpy() == plain["p_permutation"].to_numpy()[order]
    assert same[alone].all()


@pytest.mark.parametrize("method", [hs.getis_ord, hs.local_moran])
@pytest.mark.parametrize(
    ("values", "pairs"),
    [([], []), ([4.0], []), ([0.0] * 5, [(0, 1)]), ([3.0] * 5, [(0, 1)]), ([1.0, 2.0], [(0, 1)])],
)
def test_layers_that_hold_nothing_to_test_are_defined(method, values, pairs):
    first, second = [p[0] for p in pairs], [p[1] for p in pairs]
    found = method(values, hs.neighbor_matrix(first, second, len(values)), permutations=9)
    assert not found.isna().to_numpy().any()
    assert set(found["class"]) <= {"not tested"}
    assert found.attrs["tests"] == 0


def test_a_cell_without_neighbors_is_not_tested_and_never_missing():
    found = hs.getis_ord([1.0, 5.0, 2.0, 8.0], hs.neighbor_matrix([0], [1], 4), permutations=19)
    assert found["class"].tolist()[2:] == ["not tested", "not tested"]
    assert np.isfinite(found[["z", "p", "q", "p_permutation"]].to_numpy()).all()


def test_refusals_say_what_to_do():
    with pytest.raises(InvalidInput, match="2 of 3 cells"):
        hs.getis_ord([1.0, np.nan, np.inf], hs.neighbor_matrix([0], [1], 3))
    with pytest.raises(InvalidInput, match="one row a cell"):
        hs.getis_ord([1.0, 2.0], hs.neighbor_matrix([0], [1], 3))
    with pytest.raises(InvalidInput, match="permutations=999"):
        hs.getis_ord([1.0, 2.0, 3.0], hs.neighbor_matrix([0], [1], 3), decide_by="permutation")


def test_false_discovery_rate_by_hand():
    assert hs.adjust([0.01, 0.04, 0.03, 0.2]).tolist() == pytest.approx(
        [0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.2]
    )
    assert hs.adjust([0.01, 0.04], "bonferroni").tolist() == [0.02, 0.08]
    assert hs.adjust([0.01, 0.04, 0.03], "holm").tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert hs.adjust([0.01, 0.04], "fdr_dependent").tolist() == pytest.approx([0.03, 0.06])
    assert hs.adjust([0.01, 0.5], tested=[True, False]).tolist() == [0.01, 1.0]
