"""Stage, check, publish: a broken rule is recorded, and keeps exactly its own tables back."""

import pytest

from beatbook.errors import BeatbookError
from beatbook.store import MissingTable

WEEK = "2024-03-10"


def rules(shop, text):
    (shop.folder / "expectations.yaml").write_text(text, encoding="utf-8")


def test_a_refresh_records_every_rule_even_when_it_is_held(shop):
    shop.edit_csv(lambda rows: [row.update(OFFENSE=f"NEW {row['OFFENSE']}") for row in rows])
    before = shop.table("incidents").attrs["provenance"]
    with pytest.raises(BeatbookError, match="most_offenses_are_known"):
        shop.refresh()
    results = shop.table("quality_results")
    last = results[results["checked_at"] == results["checked_at"].max()].set_index("check")
    assert not last.loc["most_offenses_are_known", "passed"]
    assert last.loc["most_offenses_are_known", "failing"] > 1000
    assert last.loc["record_id_is_unique", "passed"]
    assert shop.table("incidents").attrs["provenance"] == before
    queue = shop.table("quality_queue")
    assert (queue["check"] == "most_offenses_are_known").sum() == 1


def test_a_book_whose_figures_break_a_critical_rule_is_not_published(shop):
    rules(
        shop,
        "compstat:\n  change:\n    counts_are_not_negative:\n"
        "      {with: {min_value: 1}, severity: critical, reason: For this test.}\n",
    )
    with pytest.raises(BeatbookError, match=r"compstat was not published: counts_are_not_negative"):
        shop.report(WEEK)
    with pytest.raises(MissingTable):
        shop.table("compstat", week_ending=WEEK)
    results = shop.table("quality_results")
    row = results[results["check"] == "counts_are_not_negative"].iloc[-1]
    assert row["severity"] == "critical" and not row["passed"]
    assert "(This department: For this test.)" in row["why"]
    assert len(shop.table("incidents")) == 8_633


def test_a_rule_that_a_department_adds_later_holds_too(shop):
    rules(
        shop,
        "incidents:\n  add:\n    - {id: never_met, expect: expect_column_values_to_be_between, "
        "with: {column: occurred_year, max_value: 1999}, severity: critical, queue: once, "
        "why: Nothing meets this rule.}\n",
    )
    with pytest.raises(BeatbookError, match=r"Nothing was published: .*department_rules"):
        shop.refresh()
    results = shop.table("quality_results")
    assert list(results[results["check"] == "never_met"]["failing"]) == [8_633]


def test_the_shipped_department_meets_every_critical_rule(shop):
    results = shop.table("quality_results")
    assert results[results["severity"] == "critical"]["passed"].all()
    broken = results[~results["passed"] & (results["severity"] == "warning")]
    # Seven records that occurred after they were reported; nothing else.
    assert broken.set_index("check")["failing"].to_dict() == {"occurred_before_known": 7}
