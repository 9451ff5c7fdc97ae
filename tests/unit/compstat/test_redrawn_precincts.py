"""A precinct across a redistricting, on a made-up city whose lines were redrawn in 2022."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from beatbook.compstat.redrawn_precincts import fit_of, rebuilt_years, shared_ground
from beatbook.errors import InvalidInput

DAY = dt.date(2023, 12, 31)


def records(rows):
    """(year, precinct, neighborhood, how many) to one record each."""
    frame = pd.DataFrame(
        [(year, p, n) for year, p, n, times in rows for _ in range(times)],
        columns=["year", "precinct", "neighborhood"],
    )
    day = pd.to_datetime(frame.pop("year").astype(str) + "-06-15").astype("datetime64[us]")
    return frame.assign(occurred_from=day, reported_at=pd.NaT, known_on=day, count=1)


@pytest.fixture
def settings(small_department):
    return small_department.set(redistrictings=[dt.date(2022, 1, 1)]).load()


@pytest.fixture
def city():
    """Precinct 1 was neighborhood 10; since 2022 it is 10 and 20, and three quarters of 30."""
    return records(
        [
            (2021, "1", "10", 100), (2021, "2", "20", 60), (2021, "3", "30", 40),
            (2022, "1", "10", 80), (2022, "1", "20", 60), (2022, "1", "30", 30),
            (2022, "3", "30", 10), (2022, None, "20", 5), (2022, "1", None, 3),
            (2023, "1", "10", 70), (2023, "1", "20", 50), (2023, "1", "30", 24),
            (2023, "3", "30", 16),
        ]
    )  # fmt: skip


def test_the_ground_is_that_of_the_records_since(city, settings):
    ground = shared_ground(city[city["known_on"] < "2023"], settings, DAY)
    assert ground["precinct"].tolist() == ["1", "1", "1", "3"]
    assert ground["area"].tolist() == ["10", "20", "30", "30"]
    assert ground["share_of_area"].tolist() == [1, 1, 0.75, 0.25]
    assert ground["share_of_precinct"].tolist() == [80 / 170, 60 / 170, 30 / 170, 1]


def test_years_before_are_rebuilt_on_the_new_ground(city, settings):
    ground = shared_ground(city[city["known_on"] < "2023"], settings, DAY)
    years = rebuilt_years(city, ground, settings, "neighborhood")
    own = years[years["precinct"] == "1"].set_index("year")
    assert own["recorded"].to_dict() == {2021: 100, 2022: 173, 2023: 144}
    # 2021: 100 + 60 + three quarters of 40. 2022: records without a precinct count by their area.
    assert own["rebuilt"].to_dict() == {2021: 190, 2022: 80 + 65 + 30, 2023: 70 + 50 + 30}


def test_how_far_it_is_off_is_seen_where_the_truth_is_known(city, settings):
    ground = shared_ground(city[city["known_on"] < "2023"], settings, DAY)
    years = rebuilt_years(city, ground, settings, "neighborhood")
    fit = fit_of("1", years, ground, 2023)
    assert fit.whole == pytest.approx(140 / 170)
    assert fit.mean_error == fit.largest_error == pytest.approx(150 / 144 - 1)
    assert np.isnan(fit_of("1", years, ground, 2024).mean_error)


def test_rebuilt_figures_add_up_to_the_areas_known(city, settings):
    ground = shared_ground(city, settings, DAY)
    years = rebuilt_years(city, ground, settings, "neighborhood")
    with_area = city[city["neighborhood"].notna()]
    by_year = with_area.groupby(with_area["occurred_from"].dt.year)["count"].sum()
    assert years.groupby("year")["rebuilt"].sum().to_dict() == pytest.approx(by_year.to_dict())


def test_no_ground_without_records(city, settings):
    with pytest.raises(InvalidInput, match="No record under the division of 2023-12-31"):
        shared_ground(city[city["known_on"] < "2022"], settings, DAY)
