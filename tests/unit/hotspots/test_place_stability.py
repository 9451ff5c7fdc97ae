"""Do the same places come back? Worked out by hand, and in worlds that are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook.errors import InvalidInput
from beatbook.hotspots.place_stability import next_year_by_count, top_overlap, yearly_counts


def test_places_by_year_are_net_and_never_below_zero():
    table = yearly_counts(
        ["a", "a", "b", "b", None], [2018, 2019, 2018, 2018, 2018], [1, 1, 1, -1, 1]
    )
    assert table.to_dict() == {2018: {"a": 1, "b": 0}, 2019: {"a": 1, "b": 0}}
    assert yearly_counts(["c", "c"], [1, 1], [-1, -1]).to_numpy().tolist() == [[0]]


def test_the_top_kept_by_hand():
    # Top two of the first year: a, b. Of the second: a, c.
    kept = top_overlap([5, 4, 1, 0], [6, 0, 5, 1], 10, top=2)
    assert kept.kept == 1
    assert kept.by_chance == pytest.approx(0.4)


def test_ties_count_with_the_share_that_fits():
    # First top: a, and one of b, c. Second top: a, and one of b, c.
    assert top_overlap([3, 1, 1], [3, 1, 1], 3, top=2).kept == pytest.approx(1 + 0.5 * 0.5 * 2)
    # Nothing happens twice: the second place of the top is any of nine, in both years.
    assert top_overlap([1], [1], 10, top=2).kept == pytest.approx(1 + 9 * (1 / 9) ** 2)


def test_all_places_at_the_top_are_all_kept():
    assert top_overlap([1, 0, 2], [0, 0, 1], 5, top=5).kept == pytest.approx(5)


def test_in_a_world_without_change_the_overlap_lies_in_its_band():
    rng = np.random.default_rng(0)
    risk = rng.gamma(0.5, 1.0, 2000)
    inside = []
    for seed in range(30):
        a, b = rng.poisson(risk), rng.poisson(risk)
        kept = top_overlap(a, b, 3000, top=60, simulations=99, seed=seed)
        inside.append(kept.low <= kept.kept <= kept.high)
    assert np.mean(inside) > 0.85


def test_in_a_world_that_changed_fewer_stay():
    rng = np.random.default_rng(0)
    risk = rng.gamma(0.5, 2.0, 2000)
    kept = top_overlap(rng.poisson(risk), rng.poisson(rng.permutation(risk)), 3000, top=60)
    assert kept.kept < kept.low
    assert kept.kept < kept.by_chance + 8


def test_it_is_that_of_its_seed():
    a, b = [5, 4, 1, 0, 2, 2], [6, 0, 5, 1, 2, 2]
    assert top_overlap(a, b, 9, top=3, seed=1) == top_overlap(a, b, 9, top=3, seed=1)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30),
    st.integers(0, 10),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_kept_lies_between_none_and_all(pairs, empty, data):
    a, b = zip(*pairs, strict=True)
    places = len(a) + empty
    top = data.draw(st.integers(1, places))
    kept = top_overlap(a, b, places, top=top, simulations=5)
    assert -1e-9 <= kept.kept <= top + 1e-9
    assert -1e-9 <= kept.low <= kept.high <= top + 1e-9


def test_what_became_of_places_by_hand():
    table = next_year_by_count([0, 0, 1, 3, 4, 25], [0, 2, 0, 1, 3, 5])
    assert table["incidents"].tolist() == ["0", "1", "3 to 4", "20 or more"]
    assert table["places"].tolist() == [2, 1, 2, 1]
    assert table["mean_next"].tolist() == [1, 0, 2, 5]
    assert table["none_next"].tolist() == [0.5, 1, 0, 0]


def test_high_places_fall_though_nothing_changed():
    rng = np.random.default_rng(3)
    risk = rng.gamma(1.0, 1.0, 5000)
    table = next_year_by_count(rng.poisson(risk), rng.poisson(risk)).set_index("incidents")
    assert table.loc["3 to 4", "mean_next"] < 0.8 * table.loc["3 to 4", "mean"]
    assert table.loc["0", "mean_next"] > 0


@pytest.mark.parametrize(
    ("a", "b", "places", "top", "said"),
    [
        ([1], [1, 2], 5, 1, "need the same places"),
        ([1, 2], [1, 2], 1, 1, "no more than there are"),
        ([1, 2], [1, 2], 5, 6, "top is 6"),
        ([1.5], [1], 5, 1, "whole numbers"),
        ([-1], [1], 5, 1, "whole numbers"),
    ],
)
def test_what_does_not_pair_is_refused(a, b, places, top, said):
    with pytest.raises(InvalidInput, match=said):
        top_overlap(a, b, places, top=top)
    if len(a) != len(b):
        with pytest.raises(InvalidInput):
            next_year_by_count(a, b)


def test_frames_of_years_are_taken_as_they_are():
    counts = pd.DataFrame({2018: [2, 0], 2019: [1, 1]}, index=["a", "b"])
    assert top_overlap(counts[2018], counts[2019], 2, top=1).top == 1
