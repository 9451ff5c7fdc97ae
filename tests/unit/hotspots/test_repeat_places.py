"""Repeat places, their chance expectation, and what a public file may show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput


def test_places_are_ranked_and_add_up():
    frame = hs.repeat_places(["B", "A", "A", None, "C", "B", "A"])
    assert frame["place"].tolist() == ["A", "B", "C"]
    assert frame["incidents"].tolist() == [3, 2, 1]
    assert frame["cumulative_share"].tolist() == pytest.approx([0.5, 5 / 6, 1])
    assert frame.attrs["without_place"] == 1


def test_a_cancelled_record_takes_its_place_back():
    frame = hs.repeat_places(["A", "A", "B"], [1, -1, 1])
    assert frame["place"].tolist() == ["B"]


@given(st.lists(st.sampled_from("ABCDEFGH"), max_size=60), st.integers(1, 8))
def test_a_public_file_never_shows_a_small_cell(places, limit):
    full = hs.repeat_places(places)
    public = hs.repeat_places(places, small_cell_limit=limit)
    shown = public[public["place"].notna()]
    rest = public[public["place"].isna()]
    assert (shown["incidents"] >= limit).all()
    assert (public["incidents"] >= limit).all()
    if len(rest):
        assert rest["places"].iloc[0] >= 2
        assert public["incidents"].sum() == full["incidents"].sum()


def test_the_remainder_of_one_place_takes_another_with_it():
    public = hs.repeat_places(["A"] * 9 + ["B"] * 7 + ["C"] * 2, small_cell_limit=5)
    assert public["place"].isna().tolist() == [False, True]
    assert public["places"].tolist() == [1, 2]
    assert public["incidents"].tolist() == [9, 9]


def test_chance_alone_is_not_concentration():
    rng = np.random.default_rng(0)
    chance = np.bincount(rng.integers(0, 1000, 200), minlength=1000)
    curve = hs.concentration_curve(chance, 1000)
    assert not curve["more_concentrated"].any()
    assert (curve["place_share"] < 0.2).all()
    piled = np.zeros(1000, dtype=int)
    piled[:10] = 20
    curve = hs.concentration_curve(piled, 1000)
    assert curve["more_concentrated"].all()
    assert curve["places"].tolist() == [3, 5, 8]


def test_generalized_gini_has_its_ends():
    assert hs.generalized_gini(np.ones(300), 1000) == pytest.approx(0)
    assert hs.generalized_gini([300], 1000) == pytest.approx(1 - 1 / 300)
    # plain Gini of 1, 2, 3 by the mean absolute difference: (2 * 4) / (2 * 9 * 2) = 2/9
    assert hs.generalized_gini([1, 2, 3], 3) == pytest.approx(2 / 9)


def test_empty_and_wrong_inputs():
    assert len(hs.repeat_places([])) == 0
    assert len(hs.concentration_curve([], 100)) == 0
    with pytest.raises(InvalidInput, match="more than number_of_places"):
        hs.concentration_curve([1, 1, 1], 2)
    with pytest.raises(InvalidInput, match="There must be incidents"):
        hs.generalized_gini([], 5)
