"""Published and independently computed answers; each test names the one it holds to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from beatbook import hotspots as hs

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def chicago() -> pd.DataFrame:
    return pd.read_csv(DATA / "chicago_burglary_2016_01.csv", names=["x", "y", "date"])


def test_gi_1_getis_ord_six_points():
    x, y = [10, 20, 40, 15, 30, 30], [10, 10, 10, 20, 20, 30]
    values = [2, 3, 3.2, 5, 8, 7]
    neighbors = hs.distance_band(x, y, 15)
    gi = hs.getis_ord(values, neighbors, star=False)["z"]
    star = hs.getis_ord(values, neighbors, star=True)["z"]
    assert gi.tolist() == pytest.approx(
        [-1.013673, -0.043616, 1.315587, -0.314127, 1.15374, 1.778339], abs=1e-6
    )
    assert star.tolist() == pytest.approx(
        [-1.397276, -0.289178, 0.65065, -0.289178, 1.234521, 2.024243], abs=1e-6
    )


def test_kx_3_knox_table_of_chicago_burglaries(chicago):
    table = hs.knox(
        chicago["x"], chicago["y"], chicago["date"], [0, 0.1, 200, 400, 600], [0, 7, 14, 21],
        metric="manhattan", seed=1,
    )  # fmt: skip
    assert table.observed.tolist() == [
        [28, 5, 5], [141, 69, 27], [186, 140, 100], [237, 192, 128],
    ]  # fmt: skip
    ratio = [
        [1.803, 0.404, 0.613], [1.412, 0.862, 0.517], [1.014, 0.95, 1.051], [0.975, 0.981, 1.007],
    ]  # fmt: skip
    p = [[0.001, 1.0, 0.943], [0.001, 0.929, 1.0], [0.435, 0.785, 0.312], [0.696, 0.635, 0.479]]
    assert np.abs(table.ratio_mean - ratio).max() <= 0.03
    assert np.abs(table.p - p).max() <= 0.05
    assert table.p[0, 0] == table.p[1, 0] == 0.001
    assert table.distance_bands.labels == ["[0, 0.1)", "[0.1, 200)", "[200, 400)", "[400, 600)"]


@pytest.mark.parametrize(
    ("closed", "distance", "days", "labels"),
    [
        ("right", [0, 100, 200], [0, 3, 6], ["[0, 100]", "(100, 200]"]),
        ("left", [0, 101, 201], [0, 4, 7], ["[0, 101)", "[101, 201)"]),
    ],
)
def test_kx_4_a_pair_on_the_edge_lies_in_the_band_that_names_it(closed, distance, days, labels):
    table = hs.knox(
        [0, 0], [0, 100], ["2019-01-01", "2019-01-04"], distance, days,
        closed=closed, permutations=9,
    )  # fmt: skip
    assert table.observed.tolist() == [[1, 0], [0, 0]]
    assert table.distance_bands.labels == labels


def test_kx_4_left_closed_bands_say_that_the_edge_opens_the_next_one():
    table = hs.knox(
        [0, 0], [0, 100], ["2019-01-01", "2019-01-04"], [0, 100, 200], [0, 3, 6],
        closed="left", permutations=9,
    )  # fmt: skip
    assert table.observed.tolist() == [[0, 0], [0, 1]]
    assert table.time_bands.labels == ["[0, 3)", "[3, 6)"]


def test_ns_1_near_repeat_strings():
    strings = hs.near_repeat_strings([1, 2, 3, 4, 5], [0] * 5, [0, 0, 0, 4, 4], 2, 1)
    assert strings["string"].tolist() == [1, 1, 1, 2, 2]
    assert strings["size"].tolist() == [3, 3, 3, 2, 2]


def test_sp_2_similarity_index():
    base, later = [2, 2, 2, 0, 0, 1], [1, 0, 2, 0, 1, 0]
    index = hs.similarity_index([0, -1, 1, 0, 0, -1], base, later)
    assert index.standard == pytest.approx(0.5, abs=1e-9)
    assert index.robust == pytest.approx(0.4, abs=1e-9)
    assert (index.areas, index.areas_with_incidents) == (6, 5)


def test_sp_2_the_whole_test_finds_the_published_local_values():
    change = hs.pattern_change([2, 2, 2, 0, 0, 1], [1, 0, 2, 0, 1, 0])
    assert change.areas["local_s"].tolist() == [0, -1, 1, 0, 0, -1]
    assert (change.index.standard, change.index.robust) == (0.5, 0.4)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-01-01 01:00", "2024-01-01 02:30", {1: 2 / 3, 2: 1 / 3}),
        ("2024-01-01 01:50", "2024-01-01 02:10", {1: 0.5, 2: 0.5}),
        ("2024-01-01 23:30", "2024-01-02 01:15", {23: 0.285714, 24: 0.571429, 25: 0.142857}),
        ("2024-01-07 22:00", "2024-01-08 02:00", {166: 0.25, 167: 0.25, 0: 0.25, 1: 0.25}),
        ("2024-01-01 10:55", "2024-01-01 11:55", {10: 0.083333, 11: 0.916667}),
        ("2024-01-01 00:00", "2024-01-02 01:00", dict.fromkeys(range(25), 0.04)),
        ("2024-01-03 10:55", "2024-02-03 10:55", dict.fromkeys(range(168), 1 / 168)),
        ("2024-01-01 10:55", "2024-01-01 10:55", {10: 1.0}),
    ],
)
def test_ao_1_aoristic_weights(start, end, expected):
    weights = hs.aoristic_weights([start], [end])
    found = dict(zip(weights["hour_bin"], weights["weight"], strict=True))
    assert found == pytest.approx(expected, abs=1e-6)
    assert weights["weight"].sum() == pytest.approx(1.0, abs=1e-12)


def test_ao_3_shift_weights():
    spans = [("08:00", "16:00"), ("08:00", "13:00"), ("14:33", "14:33"), ("14:00", "17:00")]
    day = "2024-03-05 "
    weights = hs.shift_weights(
        [day + a for a, _ in spans], [day + b for _, b in spans], "12:00", "16:00"
    )
    assert weights.tolist() == pytest.approx([0.5, 0.2, 1.0, 2 / 3], abs=1e-9)


def test_st_2_kulldorff_likelihood_ratio():
    expected = hs.expected_in_cylinder(2, 2, 3)
    assert float(expected) == pytest.approx(4 / 3)
    assert float(hs.poisson_llr(2, expected, 3)) == pytest.approx(0.3001045924, abs=1e-9)
    assert float(hs.poisson_llr(1, expected, 3)) == 0.0
