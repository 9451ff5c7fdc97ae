"""Weekly charts: the words that stand for them, and the same bytes on every run."""

import re

import numpy as np
import pandas as pd
import pytest

from beatbook.book.charts import KEY, PROVISIONAL_KEY, weekly_chart
from beatbook.errors import InvalidInput


def test_the_words_say_what_the_chart_shows(weeks):
    chart = weekly_chart(weeks, "Robbery", provisional_from="2024-05-06")
    assert chart.alt == (
        "Robbery: weekly counts over 20 weeks, from the week of Jan 1, 2024 to the week of "
        "May 13, 2024. The last week has 10 incidents, inside the range of 4 to 17 that chance "
        "alone would keep it in. 2 weeks are outside: the week of Apr 8, 2024 (30, above) and "
        "the week of Apr 29, 2024 (0, below). The last 2 weeks are provisional."
    )
    assert chart.caption == "Robbery"
    assert chart.key == KEY + PROVISIONAL_KEY


def test_without_history_or_outliers_the_words_say_so(weeks):
    weeks[["mean", "low", "high"]] = np.nan
    weeks["outside"] = False
    words = weekly_chart(weeks.head(1), "Arson").alt
    assert "over 1 week," in words
    assert "no range yet" in words and "No week is outside" in words


def test_the_svg_is_the_same_on_every_run_and_needs_no_font(weeks):
    chart = weekly_chart(weeks, "Robbery")
    assert weekly_chart(weeks.sample(frac=1, random_state=1), "Robbery").svg == chart.svg
    assert chart.svg.startswith("<svg")
    assert "<text" not in chart.svg and "<metadata" not in chart.svg and "date" not in chart.svg
    assert not re.search(r"(?:href|src)=\"(?!#)", chart.svg)
    assert not re.search(r' d="[^"]*\.\d{3}', chart.svg)
    assert len(chart.svg) < 25_000


def test_weeks_outside_are_marked_by_shape(weeks):
    def markers(frame):
        return len(re.findall("a63c06", weekly_chart(frame, "Robbery").svg))

    calm = weeks.assign(outside=False)
    assert markers(weeks) > markers(calm) == 0


def test_an_analyst_s_own_style_does_not_reach_a_book(weeks):
    import matplotlib as mpl

    plain = weekly_chart(weeks, "Robbery").svg
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "black", "font.size": 30}):
        assert weekly_chart(weeks, "Robbery").svg == plain


def test_a_missing_week_is_no_zero(weeks):
    gap = weeks.copy()
    gap.loc[10, "incidents"] = pd.NA
    zero = weeks.copy()
    zero.loc[10, "incidents"] = 0
    assert weekly_chart(gap, "x").svg != weekly_chart(zero, "x").svg


def test_refusals(weeks):
    with pytest.raises(InvalidInput, match="lack low and high"):
        weekly_chart(weeks.drop(columns=["low", "high"]), "x")
    with pytest.raises(InvalidInput, match="a week is there twice"):
        weekly_chart(pd.concat([weeks, weeks.tail(1)]), "x")
    with pytest.raises(InvalidInput, match="no week has a count"):
        weekly_chart(weeks.assign(incidents=np.nan), "x")
    with pytest.raises(InvalidInput, match="size 'huge'"):
        weekly_chart(weeks, "x", size="huge")  # type: ignore[arg-type]
