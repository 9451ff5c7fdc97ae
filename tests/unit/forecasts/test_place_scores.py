"""Place scores against known answers, hand-worked cases and properties."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beatbook.errors import InvalidInput
from beatbook.forecasts.place_models import phm_weight
from beatbook.forecasts.place_scores import (
    accuracy_curve,
    bootstrap_ratio,
    calibration,
    hit_rate,
    pai,
    pei_star,
    rri_levine,
    top_cells,
)

KNOWN = Path(__file__).parents[2] / "known_answers.json"


def answer(name):
    text = KNOWN.read_text(encoding="utf-8")
    try:
        entries = json.loads(text)
    except json.JSONDecodeError:
        entries = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(entries, dict):
        entries = entries.get("answers") or list(entries.values())
    return next(e for e in entries if e["id"] == name)


def test_pai_1():
    known = answer("PAI-1")
    inputs, expected = known["inputs"], known["expected"]
    curve = accuracy_curve(inputs["obs"], inputs["pred"], inputs["area"])
    for column, name in (("pai", "PAI"), ("pei", "PEI"), ("rri_pred_over_obs",) * 2):
        name = "RRI_pred_over_obs" if name == "rri_pred_over_obs" else name
        np.testing.assert_allclose(curve[column], expected[name], atol=known["tolerance"])


def test_pai_3_two_things_called_rri():
    known = answer("PAI-3")
    i, expected, tol = known["inputs"], known["expected"], known["tolerance"]
    assert pai(i["n2"], i["N2"], i["area_share"]) == pytest.approx(expected["PAI"], abs=tol)
    levine = rri_levine(i["n1"], i["N1"], i["n2"], i["N2"])
    assert levine == pytest.approx(expected["RRI_levine"], abs=tol)


def test_hr_1_coverage_is_rounded_down():
    known = answer("HR-1")
    score = np.array(known["inputs"]["matrix"], dtype=float)
    for percent, expected in zip(
        known["inputs"]["coverage_pct"], known["expected"]["hit"], strict=True
    ):
        assert hit_rate(score, np.ones(score.size), percent / 100) == pytest.approx(expected)


def test_ph_1_weights():
    known = answer("PH-1")
    weeks, cells = np.array(known["inputs"]["pairs"]).T
    np.testing.assert_allclose(
        phm_weight(weeks, cells), known["expected"]["w"], atol=known["tolerance"]
    )


def test_scores_without_events_are_missing():
    assert np.isnan(hit_rate([1, 2], [0, 0], 0.5))
    assert (
        np.isnan(pai(0, 0, 0.1)) and np.isnan(pei_star(0, 0)) and np.isnan(rri_levine(0, 9, 1, 9))
    )
    assert accuracy_curve([0, 0], [1, 2], [1, 1])["pai"].isna().all()


def test_ties_go_by_row():
    np.testing.assert_array_equal(top_cells([1, 2, 2, 1], 3), [1, 2, 0])


counts = arrays(float, 30, elements=st.integers(0, 9).map(float))


@settings(deadline=None)
@given(counts, arrays(float, 30, elements=st.floats(0, 5)))
def test_no_forecast_beats_the_best(observed, predicted):
    curve = accuracy_curve(observed, predicted, np.ones(30))
    if observed.sum() > 0:
        assert (curve["pei"] <= 1 + 1e-9).all()
        assert curve["pai"].iloc[-1] == pytest.approx(1)
        assert (accuracy_curve(observed, observed, np.ones(30))["pei"] > 1 - 1e-9).all()


def test_calibration_bands():
    rng = np.random.default_rng(0)
    expected = rng.gamma(1, 0.5, 4000)
    table = calibration(expected, rng.poisson(expected))
    assert table["cells"].sum() == 4000 and table["cells"].is_monotonic_decreasing
    inside = (table["expected"] >= table["lo_95"]) & (table["expected"] <= table["hi_95"])
    assert inside.sum() >= 8
    bad = calibration(expected, rng.poisson(3 * expected))
    assert (bad["expected"] < bad["lo_95"]).all()


def test_bootstrap_interval_holds_the_value_and_repeats():
    a, b = np.array([3.0, 5, 9, 4]), np.array([10.0, 12, 15, 11])
    first = bootstrap_ratio(a, b, seed=1)
    assert first.low < first.value < first.high and first == bootstrap_ratio(a, b, seed=1)
    assert first.value == pytest.approx(21 / 48)
    assert bootstrap_ratio(a, a) == (1, 1, 1)


def test_what_is_no_score_is_refused():
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        hit_rate([1], [1], 2)
    with pytest.raises(InvalidInput, match="area above 0"):
        accuracy_curve([1], [1], [0])
    with pytest.raises(InvalidInput, match="one number a cell"):
        accuracy_curve([1, 2], [1], [1])
    with pytest.raises(InvalidInput, match="pair"):
        bootstrap_ratio([1], [1, 2])
