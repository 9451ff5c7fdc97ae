"""Series forecasts: leakage, fallbacks, totals, choice and scores."""

import numpy as np
import pandas as pd
import pytest

from beatbook.errors import InvalidInput
from beatbook.forecasts.distribution import CountForecast
from beatbook.forecasts.models import MODELS, mix, pooled_level, recent_mean, seasonal_naive
from beatbook.forecasts.panel import Shock, make_panel
from beatbook.forecasts.scores import one_step_scale, score, summarize, withdrawn
from beatbook.forecasts.series import COLUMNS, back_test, choose, forecast_series, run_model

CUTOFF = pd.Timestamp("2018-06-04")
FAST = {k: MODELS[k] for k in ("seasonal_naive", "recent_mean", "pooled_level")}


def scrambled_after(series, cutoff):
    late = series["ds"] > cutoff
    out = series.copy()
    out.loc[late, "y"] = 999
    return pd.concat([out, out[late].assign(ds=lambda f: f["ds"] + pd.Timedelta(days=7 * 300))])


@pytest.mark.parametrize("name", list(MODELS))
def test_nothing_after_the_cutoff_reaches_a_model(series, name):
    before = run_model(MODELS[name], make_panel(series, until=CUTOFF), 4)[0]
    after = run_model(MODELS[name], make_panel(scrambled_after(series, CUTOFF), until=CUTOFF), 4)[0]
    assert before.mean.tobytes() == after.mean.tobytes()
    assert before.size.tobytes() == after.size.tobytes()


def test_nothing_after_the_cutoff_reaches_a_whole_run(series):
    runs = [
        forecast_series(s, models=FAST, cutoff=CUTOFF, origins=4)
        for s in (series, scrambled_after(series, CUTOFF))
    ]
    for first, second in zip(*runs, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_same_input_gives_the_same_answer(series):
    first, second = (score(back_test(series, models=FAST, origins=3), series) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_table_has_its_columns_and_four_weeks_a_series(series):
    out = forecast_series(series, models=FAST, cutoff=CUTOFF, origins=3)
    assert tuple(out.table.columns) == COLUMNS
    assert (out.table.groupby("unique_id").size() == 4).all()
    assert (out.table["ds"] > CUTOFF).all()
    assert (out.table["lo_95"] >= 0).all()
    assert (out.table["lo_80"] == out.table["lo_80"].round()).all()
    assert set(out.backtest["model"]) == {*FAST}


def test_a_model_is_one_function(series):
    def always_five(panel, horizon):
        return CountForecast(np.full((horizon, len(panel.ids)), 5.0), np.inf)

    out = back_test(series, models={**FAST, "five": always_five}, origins=1)
    assert (out.loc[out["model"] == "five", "y_hat"] == 5).all()


def test_totals_add_up_exactly(series):
    parts = ["1/Robbery", "2/Robbery", "3/Robbery"]
    out = forecast_series(
        series, models=FAST, cutoff=CUTOFF, origins=4, totals={"City/Robbery": parts}
    )
    city = out.table[out.table["unique_id"] == "City/Robbery"].set_index("ds")["y_hat"]
    summed = out.table[out.table["unique_id"].isin(parts)].groupby("ds")["y_hat"].sum()
    np.testing.assert_allclose(city, summed, rtol=1e-12)
    assert "City/Robbery" in set(out.backtest["unique_id"])
    with pytest.raises(InvalidInput, match="no forecast for 9/Robbery"):
        forecast_series(series, models=FAST, origins=1, totals={"City": ["9/Robbery"]})


def test_bad_series_get_their_fallback_and_leave_the_others_alone(series):
    weeks = pd.DatetimeIndex(series["ds"].unique())

    def made(name, ds, y):
        return pd.DataFrame({"unique_id": name, "ds": ds, "y": y})

    gappy = series[series["unique_id"] == "1/Robbery"].drop(index=[20, 21, 80])
    odd = pd.concat([
        made("4/Robbery", weeks[-5:], 3),
        made("5/Robbery", weeks, 0),
        made("6/Robbery", weeks[:-60], 7),
        made("7/Robbery", weeks, np.where(np.arange(len(weeks)) % 9, 0, -1)),
        gappy.assign(unique_id="8/Robbery"),
        made("9/Robbery", weeks, np.nan),
    ])  # fmt: skip
    out = forecast_series(pd.concat([series, odd]), models=FAST, origins=3)
    model = out.table.groupby("unique_id")["model"].first()
    assert (model[["4/Robbery", "5/Robbery", "6/Robbery", "9/Robbery"]] == "fallback").all()
    assert (model[["1/Robbery", "7/Robbery", "8/Robbery"]] != "fallback").all()
    mean = out.table.groupby("unique_id")["y_hat"].mean()
    assert mean["4/Robbery"] == pytest.approx(3.1)
    assert mean["6/Robbery"] == pytest.approx(7, abs=0.02)
    assert 0 < mean["5/Robbery"] < 0.02
    assert np.isfinite(out.table["y_hat"]).all() and (out.table["lo_95"] >= 0).all()
    notes = out.notes.set_index("unique_id")["note"]
    assert "Only 5 week" in notes["4/Robbery"] and "last 60 weeks" in notes["6/Robbery"]
    assert "3 missing week" in notes["8/Robbery"] and "below zero" in notes["7/Robbery"]


def test_one_failing_series_does_not_take_the_others(series):
    def brittle(panel, horizon):
        if "2/Robbery" in panel.ids:
            raise ZeroDivisionError("no such thing")
        return recent_mean(panel, horizon)

    panel = make_panel(series)
    forecast, said = run_model(brittle, panel, 4)
    assert list(said) == ["2/Robbery"] and "ZeroDivisionError" in said["2/Robbery"]
    np.testing.assert_allclose(forecast.mean, recent_mean(panel, 4).mean)


def test_the_naive_and_the_mean_by_hand(series):
    panel = make_panel(series)
    np.testing.assert_array_equal(seasonal_naive(panel, 4).mean, panel.y[-52:-48])
    np.testing.assert_allclose(recent_mean(panel, 2).mean[1], panel.y[-8:].mean(axis=0))


def test_the_pooled_level_finds_season_and_level(series):
    panel = make_panel(series, until=pd.Timestamp("2018-06-18"))
    mean = pooled_level(panel, 4).mean[0]
    truth = np.array([14 * 1, 4 * 1, 14 * 2, 4 * 2, 14 * 3, 4 * 3]) * np.exp(0.3)
    np.testing.assert_allclose(mean, truth, rtol=0.15)


def test_a_known_shock_is_set_aside_with_its_reason(series):
    spoiled = series.copy()
    storm = spoiled["ds"].between("2018-08-06", "2018-08-27") & (
        spoiled["unique_id"] == "1/Larceny"
    )
    spoiled.loc[storm, "y"] = 500
    start, end = pd.Timestamp("2018-08-06"), pd.Timestamp("2018-08-27")
    shock = Shock("1/Larceny", start, "flood", end=end)
    panel = make_panel(spoiled, shocks=[shock])
    assert panel.y.max() < 500 and "flood" in panel.notes[panel.ids.index("1/Larceny")]
    doubled = series.copy()
    old = (doubled["ds"] < "2018-01-01") & doubled["unique_id"].str.endswith("Larceny")
    doubled.loc[old, "y"] *= 3
    shift = Shock("Larceny", pd.Timestamp("2018-01-01"), "new rule", "level_shift")
    level = make_panel(doubled, shocks=[shift]).y
    assert level[:100].mean() == pytest.approx(make_panel(series).y[:100].mean(), rel=0.15)
    with pytest.raises(InvalidInput, match="needs a reason"):
        Shock("*", start, " ", end=end)


def test_choice_keeps_the_naive_where_nothing_beats_it():
    weeks = pd.date_range("2018-01-01", periods=4, freq="7D")
    rows = [
        {"unique_id": u, "ds": w, "model": m, "y_hat": v, "size": 50.0, "y": 10.0}
        for u in ("1/A", "1/B") for w in weeks
        for m, v in (("seasonal_naive", 10.0), ("other", 30.0 if u == "1/A" else 10.2))
    ]  # fmt: skip
    out = choose(pd.DataFrame(rows), pool_by=lambda i: i).set_index("unique_id")
    assert out.loc["1/A", "model"] == "seasonal_naive"
    assert "No model beat" in out.loc["1/A", "reason"]


def test_scores_by_hand():
    ds = pd.date_range("2018-01-01", periods=6, freq="7D")
    history = pd.DataFrame({"unique_id": "a", "ds": ds, "y": [2, 4, 2, 4, 8, 100]})
    rows = pd.DataFrame({
        "unique_id": "a", "ds": ds[4:5], "model": "seasonal_naive", "cutoff": ds[3],
        "y_hat": 5.0, "median": 5.0, "size": 1e6, "y": 8.0,
    })  # fmt: skip
    scored = score(rows, history)
    assert scored["scale"].tolist() == [2.0]
    assert scored["scaled_error"].tolist() == [1.5]
    summary = summarize(scored).iloc[0]
    assert summary["bias"] == pytest.approx(-3 / 8) and summary["mase_seasonal"] == 1
    assert np.isnan(one_step_scale([3, 3, 3]))


def test_a_series_that_never_beats_its_naive_is_withdrawn():
    ds = pd.date_range("2018-01-01", periods=8, freq="7D")
    frame = pd.concat([
        pd.DataFrame({"unique_id": u, "ds": ds, "model": m, "cutoff": ds[0], "crps": c})
        for u, m, c in (("a", "pooled_level", 2.0), ("a", "seasonal_naive", 1.0),
                        ("b", "pooled_level", 0.5), ("b", "seasonal_naive", 1.0))
    ])  # fmt: skip
    out = withdrawn(frame, "pooled_level").set_index("unique_id")["withdrawn"]
    assert out["a"] and not out["b"]
    assert not withdrawn(frame[frame["ds"] < ds[7]], "pooled_level")["withdrawn"].any()


def test_a_mix_holds_disagreement_in_its_variance():
    low, high = (CountForecast(np.array([[m]]), np.array([[1e6]])) for m in (4.0, 8.0))
    mixed = mix(low, high)
    assert mixed.mean[0, 0] == 6
    variance = mixed.mean + mixed.mean**2 / mixed.size
    assert variance[0, 0] == pytest.approx(6 + 4, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="y"), "lacks y"),
        (lambda f: pd.concat([f, f.head(1)]), "two rows"),
        (lambda f: f.assign(y="many"), "numbers"),
        (lambda f: f.head(0), "no rows"),
        (
            lambda f: f.assign(ds=f["ds"] + pd.to_timedelta(np.arange(len(f)) % 2, unit="D")),
            "weekd",
        ),
        (lambda f: f.assign(y=np.inf), "infinite"),
    ],
)
def test_a_table_that_is_no_series_is_refused(series, change, message):
    with pytest.raises(InvalidInput, match=message):
        make_panel(change(series))
