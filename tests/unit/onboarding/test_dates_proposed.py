"""Date formats are proposed from the values, and the order of day and month is not guessed at."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook.onboarding.dates import is_month, parsed, quiet_hour, read_dates, read_months


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2024/02/20 11:08:25+00"], ["%Y/%m/%d %H:%M:%S+00"]),
        (["2016-08-05T19:36:07.000Z"], ["%Y-%m-%dT%H:%M:%S.%gZ"]),
        (["5/14/2017 16:16", "5/14/2017"], ["%m/%d/%Y %H:%M", "%m/%d/%Y"]),
        (["12/22/19 3:30 PM"], ["%m/%d/%y %I:%M %p"]),
        (["31.12.2019"], ["%d.%m.%Y"]),
        (["20190131 0800"], ["%Y%m%d %H%M"]),
        (["01-JAN-2019"], ["%d-%b-%Y"]),
        (["January 5, 2019"], ["%B %d, %Y"]),
        (["2019-01-02 10:00:00-05:00", "2019-07-02 10:00:00-04:00"],
         ["%Y-%m-%d %H:%M:%S-05:00", "%Y-%m-%d %H:%M:%S-04:00"]),
    ],
)  # fmt: skip
def test_the_format_of_each_way_to_write_a_date(values, formats):
    reading = read_dates(values)
    assert list(reading.formats) == formats
    assert reading.read == 1.0 and not reading.ambiguous


def test_a_day_past_the_twelfth_settles_the_order():
    assert read_dates(["13/02/2019", "03/04/2019"]).formats == ("%d/%m/%Y",)
    assert read_dates(["02/13/2019", "03/04/2019"]).formats == ("%m/%d/%Y",)


def test_days_up_to_the_twelfth_leave_the_order_open():
    reading = read_dates(["01/02/2019 10:00", "03/04/2019 11:00"])
    assert reading.formats == ("%m/%d/%Y %H:%M",)
    assert reading.ambiguous == ("%d/%m/%Y %H:%M",)


def test_the_other_order_is_never_added_to_read_the_rest():
    reading = read_dates(["01/14/2019", "02/15/2019", "22/01/2019"])
    assert reading.formats == ("%m/%d/%Y",)
    assert reading.unread == ("22/01/2019",)


def test_a_year_of_two_digits_is_not_of_the_first_century():
    assert read_dates(["1/31/19"]).formats == ("%m/%d/%y",)


def test_a_first_century_is_not_read():
    assert parsed(pd.Series(["1/31/19", "1/31/2019"]), ["%m/%d/%Y"]).notna().tolist() == [
        False,
        True,
    ]


def test_only_an_offset_of_zero_is_utc():
    assert read_dates(["2024/02/20 11:08:25+00"]).utc
    assert not read_dates(["2024/02/20 11:08:25-05"]).utc
    assert not read_dates(["2024/02/20 11:08:25"]).utc


@pytest.mark.parametrize("text", ["1456789012000", "no date", "12", "N MAIN ST 12/2"])
def test_what_is_no_date_gets_no_format(text):
    assert read_dates([text]).formats == ()


def test_months_without_a_day():
    assert is_month("2019-12") and not is_month("2019-12-01")
    assert read_months(["Dec-19", "Jan-20"]).formats == ("%b-%y",)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2035-01-01")), min_size=1),
    st.sampled_from(
        ["%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%SZ"]
    ),
)
def test_what_is_proposed_reads_back_what_was_written(days, written):
    texts = [day.strftime(written) for day in days]
    reading = read_dates(texts)
    assert reading.read == 1.0
    if not reading.ambiguous:
        back = parsed(pd.Series(texts), reading.formats)
        assert [day.strftime(written) for day in back] == texts


def test_the_quietest_hour_of_local_and_of_utc_times():
    busy = [h for h in range(24) if h not in (4, 5, 6)]
    local = pd.Series([pd.Timestamp(2024, 1, 1 + i % 28, busy[i % 21], 7) for i in range(900)])
    assert quiet_hour(local) == 5
    assert quiet_hour(local + pd.Timedelta(hours=5)) == 10
    assert quiet_hour(local.head(100)) is None
