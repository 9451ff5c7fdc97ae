"""Place forecasts: plain inputs, leakage, enforcement-driven offenses, ETAS, choice."""

import numpy as np
import pandas as pd
import pytest
import shapely

from beatbook.errors import InvalidInput
from beatbook.forecasts.etas import fit_etas
from beatbook.forecasts.place_events import enforcement_driven, place_events
from beatbook.forecasts.place_history import make_history
from beatbook.forecasts.place_models import PLACE_MODELS, prospective_hotspot
from beatbook.forecasts.places import forecast_cells, forecast_places, summarize_places
from beatbook.hotspots.grid import make_grid

OUTLINE = shapely.box(0, 0, 5000, 5000)
CUTOFF = pd.Timestamp("2017-03-01")
COUNTS = {k: PLACE_MODELS[k] for k in ("long_run_count", "recent_count", "count_regression")}


def run(events, **changed):
    settings = {"cell_size": 250.0, "days": 28, "share": 0.05, "offense": "Burglary",
                "cutoff": CUTOFF, "models": COUNTS} | changed  # fmt: skip
    return forecast_places(events, OUTLINE, **settings)


@pytest.mark.parametrize("name", list(PLACE_MODELS))
def test_nothing_after_the_cutoff_reaches_a_place_model(events, name):
    grid = make_grid(OUTLINE, 250.0)
    late = events["date"] >= CUTOFF
    changed = events.copy()
    changed.loc[late, ["x", "y"]] = [110.0, 110.0]
    changed = pd.concat([changed, changed[late]])
    cutoff = int((CUTOFF - events["date"].min()) / pd.Timedelta(days=1))
    out = [
        PLACE_MODELS[name](make_history(e, grid, offense="Burglary").at(cutoff), 28)
        for e in (events, changed)
    ]
    assert out[0].tobytes() == out[1].tobytes()
    assert out[0].sum() > 0 and np.isfinite(out[0]).all() and (out[0] >= 0).all()


def test_nothing_after_the_cutoff_reaches_a_whole_run(events):
    late = events["date"] >= CUTOFF
    changed = events.copy()
    changed.loc[late, "x"] = 4000.0
    for first, second in zip(run(events), run(changed), strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_order_of_rows_changes_nothing(events):
    shuffled = events.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(run(events).cells, run(shuffled).cells, check_exact=True)


def test_the_unit_changes_nothing_but_names(events):
    # The same city in feet: expected counts agree, cell by cell.
    feet = events.assign(x=events["x"] / 0.3048, y=events["y"] / 0.3048)
    outline = shapely.box(0, 0, 5000 / 0.3048, 5000 / 0.3048)
    area = 20 * (250 / 0.3048) ** 2
    for name, model in PLACE_MODELS.items():
        meters = run(events, models={name: model}).cells
        in_feet = forecast_places(
            feet, outline, cell_size=250 / 0.3048, days=28, area=area, offense="Burglary",
            cutoff=CUTOFF, models={name: model},
        ).cells  # fmt: skip
        np.testing.assert_allclose(in_feet["expected"], meters["expected"], rtol=0.02, atol=1e-3)
        assert in_feet["chosen"].sum() == 20


def test_the_forecast_finds_the_clusters_and_says_how_many(events):
    out = run(events, models=PLACE_MODELS)
    assert len(out.cells) == 400 and out.cells["chosen"].sum() == 20
    assert sorted(out.cells["rank"]) == list(range(1, 401))
    truth = events[(events["date"] >= CUTOFF) & (events["offense"] == "Burglary")]
    daily = len(truth) / ((events["date"].max() - CUTOFF).days + 1)
    assert out.cells["expected"].sum() == pytest.approx(28 * daily, rel=0.25)
    summary = summarize_places(out.backtest).set_index("model")
    assert (summary["pai"] > 3).all() and (summary["pei_star"] <= 1).all()
    assert summary.loc["long_run_count", "gain"] == 0
    assert out.choice["model"].iloc[0] in PLACE_MODELS


def incidents(events):
    return events.rename(columns={"date": "occurred_from"}).assign(
        count=1, location_quality="block", origin="citizen"
    )


def test_ten_thousand_drug_rows_change_nothing(events):
    table = incidents(events)
    drugs = pd.DataFrame({
        "offense": "Drugs", "occurred_from": pd.Timestamp("2016-05-05"), "x": 2550.0, "y": 2550.0,
        "count": 1, "location_quality": "exact", "origin": "officer",
    }, index=range(10_000))  # fmt: skip
    offenses = ["Burglary", "Larceny"]
    before = run(place_events(table, offenses)).cells
    after = run(place_events(pd.concat([drugs, table]), offenses)).cells
    assert before["expected"].to_numpy().tobytes() == after["expected"].to_numpy().tobytes()
    planted = table.head(500).assign(origin="officer", x=2550.0, y=2550.0)
    kept = run(place_events(pd.concat([table, planted]), offenses)).cells
    pd.testing.assert_frame_equal(before, kept, check_exact=True)


def test_enforcement_driven_offenses_are_refused_by_name(events):
    for name in ("Drugs", "Narcotics", "Prostitution", "Liquor Laws", "Disorderly Conduct"):
        assert enforcement_driven(name)
    for name in ("Burglary", "Motor Vehicle Theft", "Aggravated Assault", "Robbery", "Arson"):
        assert not enforcement_driven(name)
    table = incidents(events).assign(offense="Drugs")
    with pytest.raises(InvalidInput, match="Drugs is recorded where officers look"):
        place_events(table, ["Drugs"])
    with pytest.raises(InvalidInput, match="Drugs is recorded"):
        run(events.assign(offense="Drugs"), offense="Drugs")
    allowed = place_events(table, ["Drugs"], allow={"Drugs": "overdose calls by citizens"})
    assert len(allowed) == len(events)


def test_piles_cancellations_and_missing_points_are_left_out(events):
    table = incidents(events).head(40)
    table.loc[:9, "location_quality"] = "pile_up"
    table.loc[10:14, "count"] = -1
    table.loc[15:19, "x"] = np.nan
    assert len(place_events(table, ["Burglary", "Larceny"])) == 20
    with pytest.raises(InvalidInput, match="Rape has no usable points"):
        place_events(table, ["Rape"])


def test_phm_by_hand():
    grid = make_grid(shapely.box(0, 0, 1000, 100), 100.0)
    events = pd.DataFrame({"date": pd.to_datetime(["2020-01-01", "2020-01-08"]),
                           "x": [50.0, 250.0], "y": [50.0, 50.0]})  # fmt: skip
    history = make_history(events, grid, cutoff=pd.Timestamp("2020-01-09"))
    score = prospective_hotspot(history, 7)
    # Cell 0: itself a week old (1/2) and the fresh one two cells away (1/3); cell 2 the reverse.
    assert score[0] / score[2] == pytest.approx((1 / 2 + 1 / 3) / (1 + 1 / 6))


def clustered(seed=0):
    rng = np.random.default_rng(seed)
    queue = [tuple(v) for v in np.column_stack(
        [rng.uniform(0, 900, 2500), rng.uniform(0, 9000, (2500, 2))])]  # fmt: skip
    found = list(queue)
    while queue:
        t, x, y = queue.pop()
        for _ in range(rng.poisson(0.35)):
            child = (t + rng.exponential(8), *(np.array([x, y]) + rng.normal(0, 60, 2)))
            if child[0] < 900:
                found.append(child)
                queue.append(child)
    return np.array(found).T


def test_etas_finds_the_parameters_and_its_likelihood_never_falls():
    t, x, y = clustered()
    fit = fit_etas(t, x, y, bandwidth=600, reach=400, end=900)
    assert fit.theta == pytest.approx(0.35, abs=0.05)
    assert fit.omega == pytest.approx(1 / 8, rel=0.2)
    assert fit.sigma == pytest.approx(60, rel=0.1)
    assert fit.mu == pytest.approx(2500 / 900, rel=0.1)
    assert np.diff(fit.log_likelihood).min() >= -1e-8 * abs(fit.log_likelihood[-1])
    assert fit.background.shape == t.shape and (fit.background <= 1).all()
    blocks = fit_etas(t, 100 * np.round(x / 100), 100 * np.round(y / 100), bandwidth=600, reach=400)
    assert blocks.sigma >= 20 and np.isfinite(blocks.log_likelihood).all()
    with pytest.raises(InvalidInput, match="at least 20"):
        fit_etas(t[:5], x[:5], y[:5], bandwidth=1, reach=1)


def test_few_events_fall_back_on_the_count(events):
    few = events[events["offense"] == "Burglary"].head(30)
    long = run(few, models={"long_run_count": PLACE_MODELS["long_run_count"]}).cells
    for name in ("self_exciting", "count_regression"):
        out = run(few, models={name: PLACE_MODELS[name]}).cells
        np.testing.assert_array_equal(out["expected"], long["expected"])


def test_the_forecast_area_is_a_setting():
    grid = make_grid(OUTLINE, 250.0)
    assert forecast_cells(grid, share=0.02) == 8 and forecast_cells(grid, cells=5) == 5
    assert forecast_cells(grid, area=500_000) == 8
    with pytest.raises(InvalidInput, match="once"):
        forecast_cells(grid, share=0.02, cells=5)
    with pytest.raises(InvalidInput, match="at least one"):
        forecast_cells(grid, area=100.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.drop(columns="x"), "lack x"),
        (lambda e: e.assign(x=np.nan), "no coordinate"),
        (lambda e: e.assign(x=e["x"] + 1e6), "No event lies"),
        (lambda e: e.assign(offense="Arson"), "no event of Burglary"),
    ],
)
def test_events_that_cannot_be_used_are_refused(events, change, message):
    with pytest.raises(InvalidInput, match=message):
        run(change(events))
