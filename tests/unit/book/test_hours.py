"""Hour by weekday: the picture is stable, and its words say what it shows."""

import numpy as np
import pandas as pd
import pytest

from beatbook.book.hours import hour_weekday_chart
from beatbook.errors import InvalidInput
from beatbook.hotspots import aoristic_week

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def table(**hours: float) -> pd.DataFrame:
    week = pd.DataFrame(np.zeros((24, 7)), columns=DAYS)
    for place, value in hours.items():
        day, hour = place.split("_")
        week.loc[int(hour), day] = value
    return week


def test_the_words_name_the_busiest_hours_over_midnight_and_the_day():
    chart = hour_weekday_chart(table(Sat_23=6, Sat_1=3, Mon_12=1), "Robbery")
    assert "20:00 to 2:00 with 90 % of 10 incidents" in chart.alt
    assert "busiest day is Sat with 90 %" in chart.alt


def test_the_picture_is_the_same_on_every_run():
    week = aoristic_week(pd.Series(pd.to_datetime(["2024-01-01 01:00", "2024-01-06 22:00"])))
    assert hour_weekday_chart(week, "All").svg == hour_weekday_chart(week, "All").svg


def test_an_empty_table_and_negative_sums_are_drawn():
    assert hour_weekday_chart(table(), "None").alt == "None: no incidents."
    assert "100 % of 2" in hour_weekday_chart(table(Mon_3=2, Tue_4=-1), "Net").alt


def test_another_shape_is_refused():
    with pytest.raises(InvalidInput, match="24 hours by 7 days"):
        hour_weekday_chart(table().head(12), "Half")
