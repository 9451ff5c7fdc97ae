"""Density clusters and the prospective scan."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput

points = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=40)


@settings(max_examples=40, deadline=None)
@given(points, st.integers(1, 6))
def test_clusters_agree_with_scikit_learn(rows, least):
    cluster = pytest.importorskip("sklearn.cluster")
    if not rows:
        return
    xy = np.array(rows, dtype=float)
    found = hs.density_clusters(xy[:, 0], xy[:, 1], 7, least)
    model = cluster.DBSCAN(eps=7, min_samples=least).fit(xy)
    assert ((found > 0) == (model.labels_ >= 0)).all()
    core = model.core_sample_indices_
    pairs = set(zip(found[core], model.labels_[core], strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@settings(max_examples=30, deadline=None)
@given(points, st.randoms(use_true_random=False), st.sampled_from([1.0, 3.2808399]))
def test_order_shift_and_unit_change_nothing(rows, random, unit):
    xy = np.array(rows, dtype=float).reshape(-1, 2)
    order = np.array(random.sample(range(len(rows)), len(rows)), dtype=int)
    plain = hs.density_clusters(xy[:, 0], xy[:, 1], 7, 4)
    moved = hs.density_clusters(
        (xy[order, 0] + 1000) * unit, (xy[order, 1] - 500) * unit, 7 * unit, 4
    )
    assert moved.tolist() == plain[order].tolist()


def test_polygons_hold_their_incidents_and_are_never_points():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(0, 60, 80), np.full(12, 3000.0), np.arange(20) * 50 + 6000])
    y = np.concatenate([rng.normal(0, 60, 80), np.full(12, 3000.0), np.full(20, 500.0)])
    label = hs.density_clusters(x, y, 100, 4)
    frame = hs.cluster_polygons(x, y, label, 100, crs="EPSG:26996")
    assert frame["incidents"].tolist() == [int((label == k).sum()) for k in frame["cluster"]]
    assert frame["incidents"].is_monotonic_decreasing
    for row in frame.itertuples():
        held = label == row.cluster
        assert shapely.intersects_xy(row.geometry, x[held], y[held]).all()
        assert row.geometry.geom_type == "Polygon" and row.geometry.area > 7000


@pytest.mark.parametrize("n", [0, 1, 30])
def test_nothing_one_point_and_one_spot(n):
    x = [5.0] * n
    label = hs.density_clusters(x, x, 100, 10)
    frame = hs.cluster_polygons(x, x, label, 100)
    assert label.tolist() == [int(n == 30)] * n
    assert len(frame) == int(n == 30)
    scan = hs.prospective_scan(x, x, [100] * n, 100, permutations=9)
    assert len(scan) == 0
    assert scan.attrs["incidents"] == n


def background(n=900, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 9000, n), rng.uniform(0, 9000, n), rng.integers(0, 364, n)


def test_an_outbreak_is_found_where_and_when_it_is():
    x, y, day = background()
    rng = np.random.default_rng(9)
    x = np.concatenate([x, rng.normal(4000, 100, 10)])
    y = np.concatenate([y, rng.normal(4000, 100, 10)])
    day = np.concatenate([day, rng.integers(358, 364, 10)])
    scan = hs.prospective_scan(x, y, day, 363, permutations=99)
    top = scan.iloc[0]
    assert np.hypot(top["x"] - 4000, top["y"] - 4000) < 500
    assert top["p"] == 0.01 and top["recurrence_days"] == 700
    assert top["observed"] >= 9 and 5 <= top["days"] <= 10 and top["ratio"] > 5
    others = scan.iloc[1:]
    assert (others["llr"] <= top["llr"]).all()
    gap = np.hypot(others["x"] - top["x"], others["y"] - top["y"])
    assert (gap > others["radius"] + top["radius"]).all()
    order = np.random.default_rng(0).permutation(x.size)
    again = hs.prospective_scan(x[order], y[order], day[order], 363, permutations=99)
    pd.testing.assert_frame_equal(scan, again)
    feet = hs.prospective_scan(
        x * 3.2808, y * 3.2808, day, 363, permutations=99,
        radii=[r * 3.2808 for r in (250, 500, 750, 1000, 1500)],
    )  # fmt: skip
    assert np.allclose(feet["llr"], scan["llr"]) and (feet["p"] == scan["p"]).all()


def test_a_cylinder_counts_what_a_plain_filter_counts():
    x, y, day = background(300)
    scan = hs.prospective_scan(x, y, day, 363, permutations=9, centers=(x[:50], y[:50]))
    for row in scan.itertuples():
        zone = np.hypot(x - row.x, y - row.y) <= row.radius
        window = day >= row.first_day
        assert row.observed == (zone & window).sum()
        assert row.expected == pytest.approx(zone.sum() * window.sum() / 300)
        assert row.llr == pytest.approx(float(hs.poisson_llr(row.observed, row.expected, 300)))


def test_dates_come_back_as_dates_and_later_ones_are_ignored():
    x, y, day = background(300)
    dates = pd.Timestamp("2023-01-01") + pd.to_timedelta(day, unit="D")
    scan = hs.prospective_scan(x, y, dates, "2023-12-30", permutations=9)
    assert scan["first_day"].dtype.kind == "M"
    assert scan.attrs["incidents"] == int((day <= 363).sum())
    with pytest.raises(InvalidInput, match="shorter than history_days"):
        hs.prospective_scan(x, y, day, 363, windows=[400])
    with pytest.raises(InvalidInput, match="to_crs"):
        hs.prospective_scan([-90.2, -90.21], [38.6, 38.61], [1, 2], 3)
