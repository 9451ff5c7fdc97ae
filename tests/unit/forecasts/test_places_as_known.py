"""Place forecasts from what the books of a cutoff held, late records missing as they were."""

import numpy as np
import pandas as pd
import pytest
import shapely

from beatbook.errors import InvalidInput
from beatbook.forecasts.place_history import DAY, make_history
from beatbook.forecasts.place_models import PLACE_MODELS
from beatbook.forecasts.place_scores import bootstrap_double_ratio
from beatbook.forecasts.places import back_test_places, summarize_places
from beatbook.hotspots.grid import make_grid

CITY = shapely.box(0, 0, 5000, 5000)
ORIGIN = 600


@pytest.fixture(scope="module")
def known_events(events):
    lag = np.random.default_rng(8).integers(0, 40, len(events))
    return events.assign(known_on=events["date"] + pd.to_timedelta(lag, unit="D"))


def history_of(events):
    return make_history(
        events,
        make_grid(CITY, 250.0),
        offense="Burglary",
        cutoff=pd.Timestamp("2017-05-01"),
        as_known=lambda cutoff: cutoff + DAY,
    )


def test_the_books_of_a_cutoff_lack_what_came_later(known_events):
    history = history_of(known_events)
    past = history.at(ORIGIN)
    book = history.start + (ORIGIN + 1) * DAY
    rows = known_events[known_events["offense"] == "Burglary"]
    there = (rows["date"] < history.start + ORIGIN * DAY) & (rows["known_on"] <= book)
    assert past.count(0, ORIGIN).sum() == there.sum() < (rows["date"] < book - DAY).sum()
    # A map of a past day lacks what the book of that day lacked, whatever the present one holds.
    then = history.weights([1e9], ORIGIN)[:, 0]
    assert (then > 0).sum() == there.sum()


@pytest.mark.parametrize("model", list(PLACE_MODELS))
def test_what_came_after_the_book_of_a_cutoff_changes_no_forecast(known_events, model):
    book = history_of(known_events).start + (ORIGIN + 1) * DAY
    late = known_events["known_on"] > book
    before = late & (known_events["date"] < book - 2 * DAY)
    assert before.sum() > 10
    changed = known_events.copy()
    changed.loc[late, ["x", "y"]] = changed.loc[late, ["y", "x"]].to_numpy()
    first, second = (
        PLACE_MODELS[model](history_of(frame).at(ORIGIN), 28) for frame in (known_events, changed)
    )
    np.testing.assert_array_equal(first, second)
    # Without the books' days the same change is seen.
    plain = [
        PLACE_MODELS[model](
            make_history(frame, make_grid(CITY, 250.0), offense="Burglary").at(ORIGIN), 28
        )
        for frame in (known_events, changed)
    ]
    assert not np.array_equal(*plain)


def test_horizons_share_their_fits_without_changing_them(known_events):
    alone = {
        days: PLACE_MODELS["self_exciting"](history_of(known_events).at(ORIGIN), days)
        for days in (7, 28)
    }
    history = history_of(known_events).at(ORIGIN)
    for days in (28, 7):
        np.testing.assert_array_equal(PLACE_MODELS["self_exciting"](history, days), alone[days])


def test_a_history_as_known_needs_the_known_days(events):
    with pytest.raises(InvalidInput, match="needs known_on"):
        history_of(events)


def test_both_recapture_indices_have_an_interval(known_events):
    models = {name: PLACE_MODELS[name] for name in ("long_run_count", "recent_count")}
    tested = back_test_places(history_of(known_events), 20, 28, models=models)
    table = summarize_places(tested, draws=200).set_index("model")
    part = tested[tested["model"] == "recent_count"][
        ["hits", "events", "hits_before", "events_before", "expected"]
    ].sum()
    now, before = part["hits"] / part["events"], part["hits_before"] / part["events_before"]
    row = table.loc["recent_count"]
    assert row["rri_levine"] == pytest.approx(now / before)
    assert row["predicted_over_observed"] == pytest.approx(part["expected"] / part["hits"])
    for name in ("rri_levine", "predicted_over_observed", "hit_rate", "pei_star"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]


def test_a_ratio_of_ratios_by_hand():
    # 3 of 10 now, 2 of 20 before: three times the share.
    found = bootstrap_double_ratio([[1, 4, 1, 10], [2, 6, 1, 10]], draws=50)
    assert found.value == pytest.approx(3.0)
    assert np.isnan(bootstrap_double_ratio([[1, 4, 0, 10]]).value)
    with pytest.raises(InvalidInput):
        bootstrap_double_ratio([[1, 2, 3]])
