"""Every source row ends in one of two tables, whatever it holds."""

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from beatbook.tables import FEED_FILES, INCIDENTS, REJECTED_INCIDENTS

MESS = st.one_of(
    st.sampled_from(["", " ", "0", "-1", "1", "NULL", "nan", "-999", "'", '"', ";", "é", "\\"]),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs", "Cc"]), max_size=8),
)
GOOD = {
    "Case": st.sampled_from(["24-1", "24-2", ""]),
    "Code": st.sampled_from(["031000", "21000", " 06", "999999"]),
    "Month": st.sampled_from(["2024-01", "2024-1", "2023-12"]),
    "Date": st.sampled_from(["01/02/2024 10:00", "1/2/2024 1:00", "12/31/1999 23:59"]),
    "Ended": st.sampled_from(["", "01/02/2024 11:00"]),
    "Reported": st.sampled_from(["", "01/02/2024 11:00"]),
    "Count": st.sampled_from(["1", "-1", "+1"]),
    "District": st.sampled_from(["1", "2", "4", "0"]),
    "Area": st.sampled_from(["10", "20", "99"]),
    "Number": st.sampled_from(["0", "1515", "7"]),
    "Street": st.sampled_from(["MAIN ST", "OAK / ELM"]),
    "Source": st.sampled_from(["", "citizen"]),
    "X": st.sampled_from(["0", "700400", "701500", "1e9"]),
    "Y": st.sampled_from(["0", "4270300", "4271500", "-5"]),
}
# One value in a few is anything at all, so that most rows have one fault or none.
ROW = st.fixed_dictionaries(
    {name: st.one_of(good, good, good, good, good, good, MESS) for name, good in GOOD.items()}
)


def assert_all_accounted(tables, rows):
    """Every source row in exactly one table, and the manifest adds up."""
    where = ["source_file", "source_row"]
    found = pd.concat([tables.incidents[where], tables.rejected[where]])
    assert len(found) == rows == tables.feed_files["rows"].sum()
    assert not found.duplicated().any()
    manifest = tables.feed_files
    assert (manifest["rows"] == manifest["accepted"] + manifest["rejected"]).all()
    assert manifest["accepted"].sum() == len(tables.incidents) == tables.cleaned.accepted
    assert manifest["rejected"].sum() == len(tables.rejected) == tables.cleaned.refused
    numbered = found.groupby("source_file")["source_row"].agg(["min", "max", "count"])
    assert (numbered["min"] == 1).all() and (numbered["max"] == numbered["count"]).all()


@given(files=st.lists(st.lists(ROW, min_size=1, max_size=12), min_size=1, max_size=2))
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_accepted_and_refused_add_up_over_messy_rows(make_department, files):
    department = make_department()
    for number, rows in enumerate(files):
        # A case of its own in each file, or two files could be the same byte for byte.
        rows[0]["Source"] = f"file {number}"
        department.write(f"{number}.csv", rows)
    tables = department.clean()
    assert_all_accounted(tables, sum(map(len, files)))
    INCIDENTS.conform(tables.incidents)
    REJECTED_INCIDENTS.conform(tables.rejected)
    FEED_FILES.conform(tables.feed_files)
    hidden = tables.incidents["offense"].isin(["Rape", "Unmapped"])
    assert tables.incidents.loc[hidden, ["x", "y", "block_address"]].isna().all(axis=None)


def test_all_rows_of_st_louis_are_accounted_for(st_louis_tables):
    assert st_louis_tables.snapshot.rows == 644_056
    assert_all_accounted(st_louis_tables, 644_056)
    assert len(st_louis_tables.rejected) == 0


def test_the_incidents_of_st_louis_are_as_declared(st_louis_tables):
    incidents = INCIDENTS.conform(st_louis_tables.incidents)
    assert (incidents["offense"] != "Unmapped").all()
    assert incidents["record_id"].is_unique
    assert set(incidents["count"]) == {1, -1}
    assert (incidents["known_on"] == incidents["known_on"] + pd.offsets.MonthEnd(0)).all()
    assert incidents["known_on"].min() == pd.Timestamp("2008-01-31")
    assert incidents["known_on"].max() == pd.Timestamp("2019-12-31")


def test_no_sex_offense_of_st_louis_has_a_point_or_an_address(st_louis_tables):
    incidents = st_louis_tables.incidents
    hidden = incidents["ucr_code"].isin(["02", "17"])
    assert hidden.sum() > 7000
    assert incidents.loc[hidden, ["x", "y", "block_address"]].isna().all(axis=None)
    assert (incidents.loc[hidden, "location_quality"] == "missing").all()
    assert incidents.loc[hidden, "precinct"].notna().mean() > 0.9


def test_the_precincts_of_st_louis_follow_the_list_in_force(st_louis_tables):
    incidents = st_louis_tables.incidents
    held = incidents.groupby(incidents["known_on"] < "2014-01-01")["precinct"].unique()
    assert sorted(held[True].dropna()) == list("123456789")
    assert sorted(held[False].dropna()) == list("123456")


def test_most_points_of_st_louis_can_be_mapped(st_louis_tables):
    incidents = st_louis_tables.incidents
    hidden = incidents["ucr_code"].isin(["02", "17"])
    quality = incidents.loc[~hidden, "location_quality"].value_counts(normalize=True)
    assert quality["block"] > 0.96
    assert quality["outside"] < 0.001
    # Missouri East: the city lies about 265-280 km east and 305-325 km north.
    inside = incidents[incidents["location_quality"] == "block"]
    assert inside["x"].between(262_000, 285_000).all()
    assert inside["y"].between(298_000, 332_000).all()
