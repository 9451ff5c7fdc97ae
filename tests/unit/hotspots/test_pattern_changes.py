"""Similarity of two periods, and emerging classes."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact, kendalltau

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput
from beatbook.hotspots.emerging import classify_run, space_time_z

BASE, LATER = [20, 22, 20, 0, 0, 10], [10, 0, 20, 0, 10, 0]


@pytest.mark.parametrize("statistic", ["chi2", "yates", "chi2_n_minus_1", "fisher"])
def test_share_difference_equals_the_textbook_tests(statistic):
    areas = hs.share_difference(BASE, LATER, statistic=statistic).areas
    for k, (b, t) in enumerate(zip(BASE, LATER, strict=True)):
        table = [[b, 72 - b], [t, 40 - t]]
        if b + t == 0:
            assert areas["p"][k] == 1.0
        elif statistic == "fisher":
            assert areas["p"][k] == pytest.approx(fisher_exact(table)[1])
        elif statistic == "chi2_n_minus_1":
            chi2 = chi2_contingency(table, correction=False)[0] * 111 / 112
            from scipy.stats import chi2 as distribution

            assert areas["p"][k] == pytest.approx(distribution.sf(chi2, 1))
        else:
            assert areas["p"][k] == pytest.approx(
                chi2_contingency(table, correction=statistic == "yates")[1]
            )
    assert areas["local_s"].tolist()[1] == -1


def test_adjustment_only_makes_areas_more_alike():
    def s(adjustment):
        return hs.share_difference(BASE, LATER, adjustment=adjustment).index.standard

    assert s("none") <= s("fdr") <= s("fdr_dependent") <= s("bonferroni")


def test_the_same_pattern_is_wholly_alike():
    base = np.array([40, 30, 20, 10, 0])
    for result in (hs.pattern_change(base, base * 3), hs.share_difference(base, base * 3)):
        assert result.index.standard == result.index.robust == 1.0
        assert set(result.areas["change"]) == {"alike"}


def test_bootstrap_is_seeded():
    a, b = (hs.pattern_change(BASE, LATER, method="bootstrap", seed=4) for _ in range(2))
    assert a.areas.equals(b.areas)


def test_a_period_without_incidents_is_refused():
    with pytest.raises(InvalidInput, match="test period holds no incidents"):
        hs.pattern_change([1, 2], [0, 0])
    with pytest.raises(InvalidInput, match="whole numbers"):
        hs.share_difference([1, -1], [1, 1])
    assert hs.similarity_index([], [], []).standard is None


def test_mann_kendall_by_hand_and_against_kendalls_tau():
    trend = hs.mann_kendall([[1, 2, 3, 4, 5], [2, 2, 2, 2, 2], [5, 3, 4, 1, 1]])
    assert trend.s.tolist() == [10, 0, -7]
    # var = 5*4*15/18 = 50/3; z = 9 / sqrt(50/3). With one tie of two: (300 - 18)/18.
    assert trend.z.tolist() == pytest.approx([9 / np.sqrt(50 / 3), 0, -6 / np.sqrt(282 / 18)])
    assert trend.p[1] == 1.0
    y = np.random.default_rng(0).normal(size=14)
    tau = kendalltau(np.arange(14), y).statistic
    assert hs.mann_kendall(y).s[0] == round(tau * 14 * 13 / 2)


CLASSES = {
    "new": "..........#",
    "consecutive": ".......####",
    "persistent": "###########",
    "sporadic": "..#...##..#",
    "oscillating": "..c...##..#",
    "historical": "##########.",
    "": "..##.......",
}


@pytest.mark.parametrize(("name", "run"), CLASSES.items())
def test_each_class_by_its_run(name, run):
    hot = np.array([[c == "#" for c in run]])
    cold = np.array([[c == "c" for c in run]])
    never = np.array([False])
    assert classify_run(hot, cold, never, never).tolist() == [name]


def test_trend_parts_intensifying_from_diminishing():
    hot = np.ones((3, 12), dtype=bool)
    up, down = np.array([True, False, False]), np.array([False, True, False])
    assert classify_run(hot, ~hot, up, down).tolist() == [
        "intensifying", "diminishing", "persistent",
    ]  # fmt: skip


def test_space_time_z_equals_gi_star_of_the_whole_cube():
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, (20, 4)).astype(float)
    links = hs.neighbor_matrix(range(19), range(1, 20), 20)
    dense = links.toarray() + np.eye(20)
    pairs = []
    for t in range(4):
        for back in range(2):
            if t - back >= 0:
                i, j = np.nonzero(dense)
                pairs += [(t * 20 + a, (t - back) * 20 + b) for a, b in zip(i, j, strict=True)]
    w = np.zeros((80, 80))
    for a, b in pairs:
        w[a, b] = 1
    flat = counts.T.ravel()
    z = (w @ flat - w.sum(1) * flat.mean()) / np.sqrt(
        flat.var() * (80 * w.sum(1) - w.sum(1) ** 2) / 79
    )
    assert np.allclose(space_time_z(counts, links), z.reshape(4, 20).T)


def test_a_place_that_flares_up_last_is_new_and_quiet_layers_are_defined():
    counts = np.random.default_rng(1).poisson(2, (49, 12)).astype(float)
    first = [r * 7 + c for r in range(7) for c in range(6)] + list(range(42))
    second = [r * 7 + c + 1 for r in range(7) for c in range(6)] + list(range(7, 49))
    links = hs.neighbor_matrix(first, second, 49)
    counts[24, -1] += 60
    found = hs.emerging_hotspots(counts, links)
    assert found["class"][24] == "new hot"
    assert found.attrs["tests"] == 49 * 12
    quiet = hs.emerging_hotspots(np.zeros((49, 12)), links)
    assert set(quiet["class"]) == {"no pattern"}
    assert not quiet.isna().to_numpy().any()
    with pytest.raises(InvalidInput, match="three or more"):
        hs.emerging_hotspots(np.zeros((49, 2)), links)
