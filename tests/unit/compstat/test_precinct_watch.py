"""What a precinct's packet says first, and what it says beside its figures."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.compstat.precinct_watch import MOST_CHANGES, precinct_caveats, watch_list

WEEK, AS_OF = dt.date(2024, 1, 14), dt.date(2024, 1, 14)
LATE = {"book": {"map_area": "neighborhood", "late_coding": {"weeks": [0.8, 0.95], "source": "x"}}}


def change(offense="Burglary", geography="1", current=30, prior=10, q=0.001, kind="precinct"):
    return {
        "geography_type": kind, "geography": geography, "offense": offense, "window": "28_days",
        "comparison": "prior_period", "current": current, "prior": prior,
        "percent_change": 100.0 * (current - prior) / prior, "p_value": q / 10, "q_value": q,
        "note": "", "current_start": pd.Timestamp("2023-12-18"),
        "current_end": pd.Timestamp("2024-01-14"), "prior_start": pd.Timestamp("2023-11-20"),
        "prior_end": pd.Timestamp("2023-12-17"),
    }  # fmt: skip


def table(*rows):
    frame = pd.DataFrame(rows or [change(q=0.9)])
    return frame.astype({"current": "Int64", "prior": "Int64"})


NO_ZONES = pd.DataFrame({"offense": [], "closes": []})
NO_CLUSTERS = pd.DataFrame({"offense": [], "observed": []})


def zones(*offenses):
    closes = pd.date_range("2024-01-15", periods=len(offenses))
    return pd.DataFrame({"offense": list(offenses), "closes": closes})


def clusters(observed=7):
    return pd.DataFrame(
        {"offense": ["Robbery"], "observed": [observed], "expected": [1.23], "days": [14],
         "radius_m": [500.0], "p": [0.01], "place": ["Quarter 1"]}
    )  # fmt: skip


@pytest.fixture
def watch(small_department):
    def said(frame=None, near=NO_ZONES, alive=NO_CLUSTERS, precinct="1", as_of=AS_OF, **settings):
        department = small_department.set(**settings).load()
        return watch_list(
            table() if frame is None else frame, near, alive, department, precinct, WEEK, as_of
        )

    return said


def test_a_quiet_precinct_is_told_that_it_was_looked_at(watch):
    assert watch() == [
        "No change in District 1 is larger than chance alone would often bring.",
        "Near repeats: no zone of raised risk is open at the end of the week.",
        "No space-time cluster beyond chance (p up to 0.05) reaches into it.",
    ]


def test_only_its_own_changes_are_told_and_no_small_base(watch):
    lines = watch(
        table(
            change(),
            change("Robbery", current=9, prior=1),
            change("Larceny", geography="2"),
            change("Arson", geography="1", kind="city"),
        )
    )
    assert lines[0].startswith("District 1: Burglary is up in the last 28 days, 30 against 10")
    assert not [line for line in lines if "Robbery" in line or "Larceny" in line or "Arson" in line]


@pytest.mark.parametrize(("more", "said"), [(1, "one more change"), (2, "2 more changes")])
def test_many_changes_are_counted_rather_than_listed(watch, more, said):
    lines = watch(table(*(change(f"Offense {n}") for n in range(MOST_CHANGES + more))))
    assert sum(line.startswith("District 1: ") for line in lines) == MOST_CHANGES
    assert lines[MOST_CHANGES] == f"And {said}, marked in the table below."


def test_zones_are_counted_by_offense_with_the_last_day(watch):
    assert (
        "Near repeats: 3 zones of raised risk are open at the end of the week (Burglary 2, Robbery "
        "1); the last closes on 2024-01-17."
    ) in watch(near=zones("Burglary", "Burglary", "Robbery"))
    assert "Near repeats: 1 zone of raised risk is open" in " ".join(watch(near=zones("Burglary")))


def test_a_cluster_is_told_with_its_place_and_p_and_no_small_count(watch):
    line = "Cluster: 7 Robbery in 14 days within 500 m around Quarter 1, 1.2 expected (p 0.010)."
    assert line in watch(alive=clusters())
    assert "Cluster: fewer than 5 Robbery in 14 days" in " ".join(
        watch(alive=clusters(4), small_cell_limit=5)
    )


def test_late_coding_is_told_until_the_week_is_settled(watch):
    assert "holds on average 80 % of its eventual" in watch(**LATE)[-1]
    assert "holds on average 95 % of its eventual" in watch(as_of=dt.date(2024, 1, 21), **LATE)[-1]
    assert "eventual" not in " ".join(watch(as_of=dt.date(2024, 2, 4), **LATE))


def records(rows):
    frame = pd.DataFrame(
        rows, columns=["precinct", "offense", "location_quality", "precinct_disagrees"]
    )
    return frame.assign(
        precinct=frame["precinct"].astype("str"),
        occurred_from=pd.Timestamp("2024-01-10"),
        reported_at=pd.NaT,
        known_on=pd.Timestamp("2024-01-12"),
    )


def test_caveats_are_of_the_precinct_with_their_figures(small_department):
    found = precinct_caveats(
        records(
            [
                ("1", "Burglary", "exact", False),
                ("1", "Robbery", "missing", True),
                ("2", "Burglary", "missing", True),
                (None, "Larceny", "exact", False),
                ("1", "Vandalism", "missing", True),
            ]
        ),
        table(change(kind="city", geography="Example City"), change()),
        small_department.load(),
        "1",
        WEEK,
        AS_OF,
    )
    text = " ".join(found)
    assert "1 of 2 (50.0 %) Part I records of the week in District 1 have no point" in text
    assert "1 of 4 (25.0 %) Part I records of the city's week carry no district" in text
    assert "1 of 2 (50.0 %) Part I records of the week name District 1 and lie in another" in text
    assert "a district's counts are small" in found[-1]
