"""Each fault of the list ends in the named check with the named record, and harms no table."""

import re

import pandas as pd
import pytest

from beatbook import load_table
from tests.quality_faults.city import City
from tests.quality_faults.fault import REFUSED, Fault
from tests.quality_faults.fault_list import BEGIN, END, FAULTS, PAGE, listing
from tests.quality_faults.injection import Outcome, by_run, inject, published_city, readable
from tests.quality_faults.ordinary_feed import ordinary_months

RUNS = by_run(FAULTS)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> City:
    return published_city(tmp_path_factory.mktemp("city") / "home", ordinary_months())


@pytest.fixture(scope="module")
def outcome_of(published, tmp_path_factory):
    """What came of a run; each is made once."""
    made: dict[str, Outcome] = {}

    def get(run: str) -> Outcome:
        if run not in made:
            city = published.copy(tmp_path_factory.mktemp("run") / "home")
            made[run] = inject(city, RUNS.get(run, ()))
        return made[run]

    return get


@pytest.fixture(scope="module")
def published_rows(published) -> dict[str, int]:
    """How many rows the tables hold that were published from the clean feed."""
    rows = readable(published)
    empty = {name for name, number in rows.items() if not number}
    # No row of the clean feed is refused, and nobody has decided anything.
    assert empty == {"rejected_incidents", "corrections"} and len(rows) == 7
    return rows


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_named_and_harms_nothing(fault: Fault, outcome_of, published_rows):
    outcome = outcome_of(fault.run)
    if fault.severity == REFUSED:
        assert fault.record in outcome.error and fault.sees in outcome.error
        assert "Traceback" not in outcome.error and not outcome.results
    else:
        result = next(r for r in outcome.results if r.rule.id == fault.check)
        assert not result.passed and result.rule.severity == fault.severity
        found = outcome.found[outcome.found["check"] == fault.check].set_index("record_key")
        assert not found.empty and set(found["severity"]) == {fault.severity}
        case = fault.record.removeprefix("case ")
        named = outcome.ids(case) if case != fault.record else {fault.record}
        seen = found.loc[found.index.isin(named), "observed"]
        assert len(seen), f"not among {list(found.index)[:9]}"
        assert any(fault.sees in text for text in seen), list(seen)
    blocked = {f.severity for f in RUNS[fault.run]} & {REFUSED, "critical"}
    if blocked:
        assert outcome.after == outcome.before
        assert outcome.readable == published_rows
    else:
        assert_published(outcome, sum(f.refused for f in RUNS[fault.run]))


def assert_published(outcome: Outcome, refused: int) -> None:
    assert not [r.rule.id for r in outcome.results if r.rule.blocks and not r.passed]
    assert outcome.after != outcome.before
    read = {
        name: load_table(name, City.slug, home=outcome.city.home)
        for name in ("incidents", "rejected_incidents", "feed_files")
    }
    assert len(read["rejected_incidents"]) == refused == read["feed_files"]["rejected"].sum()
    assert len(read["incidents"]) + refused == read["feed_files"]["rows"].sum() == outcome.rows
    assert_private(read["incidents"])


def assert_private(incidents: pd.DataFrame) -> None:
    """No house number, and no place of a sex offense."""
    addresses = incidents["block_address"].dropna().unique()
    assert all(re.match(r"(\d*00|0) block of [A-Z]", text) for text in addresses)
    sexual = incidents[incidents["offense"] == "Rape"]
    assert len(sexual) > 50 and sexual[["x", "y", "block_address"]].isna().all(axis=None)


def test_a_clean_copy_fires_none_of_them(outcome_of):
    outcome = outcome_of("an ordinary month")
    assert [r.rule.id for r in outcome.results if not r.passed] == []
    assert {f.check for f in FAULTS if f.check and not f.table} - {"precincts_are_recorded"} <= {
        result.rule.id for result in outcome.results
    }
    assert outcome.found.empty
    assert_published(outcome, 0)


def test_there_are_enough_faults_and_each_is_of_its_own():
    assert len(FAULTS) >= 30
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_the_page_lists_every_fault():
    text = PAGE.read_text(encoding="utf-8")
    held = text[text.index(BEGIN) : text.index(END) + len(END)]
    assert held == listing(), "run: python -m tests.quality_faults.fault_list"
