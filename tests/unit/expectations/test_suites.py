"""The suites as files: each table has one, each rule is whole, and the list of them is current."""

from pathlib import Path

import pytest

from beatbook.errors import SettingsError
from beatbook.quality.evidence import EVIDENCE
from beatbook.tables import TABLES
from expectations.checking import STAGED, TABLE_EVIDENCE
from expectations.listing import BEGIN, END, PAGE, listing
from expectations.runner import expected_words
from expectations.suite import Rule, list_suites, load_suite

ROOT = Path(__file__).resolve().parents[3]
# The desk's own tables, and the ledger of decisions that it keeps.
WITHOUT = {"quality_results", "quality_queue", "corrections"}

RULES = [(table, rule) for table in list_suites() for rule in load_suite(table).rules]


def test_every_published_table_has_a_suite():
    assert set(TABLES) - WITHOUT <= set(list_suites())


@pytest.mark.parametrize(("table", "rule"), RULES, ids=lambda v: getattr(v, "id", v))
def test_each_rule_can_be_run_and_read(table: str, rule: Rule):
    import great_expectations.expectations as gxe

    from expectations.runner import _class_name

    assert hasattr(gxe, _class_name(rule.expect))
    evidence = {**EVIDENCE, "weekly_sums": None} if table in STAGED else TABLE_EVIDENCE
    assert not rule.evidence or rule.evidence in evidence
    if not rule.evidence and table not in STAGED and table in TABLES:
        assert set(rule.columns) <= set(TABLES[table].column_names)
    assert len(rule.why.split()) >= 4 and rule.why.endswith(".")
    assert expected_words(rule)


def test_names_are_one_asset_check_each():
    staged = [rule.id for table in STAGED for rule in load_suite(table).rules]
    assert len(staged) == len(set(staged))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("table: a\nrules: []", "at least 1 item"),
        ("table: a\nrules:\n- {id: x, expect: expect_a, severity: mild, why: w}", "severity"),
        ("table: a\nrules:\n- {id: x, expect: expect_a, severity: info, why: w, whi: v}", "whi"),
        (
            "table: a\nrules:\n- {id: x, expect: expect_a, severity: info, why: w}\n"
            "- {id: x, expect: expect_b, severity: info, why: w}",
            "names the rule x twice",
        ),
        ("table: [", "cannot be read"),
    ],
)
def test_a_suite_that_cannot_stand_is_refused(tmp_path, text, said):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_suite("a", tmp_path)


def test_what_becomes_of_findings_follows_the_severity():
    def rule(**changes):
        return Rule(id="x", expect="expect_a", why="w", **{"severity": "warning", **changes}).queued

    assert rule() == "each" and rule(severity="critical") == "each"
    assert rule(severity="info") == "none" and rule(queue="once") == "once"


def test_the_page_lists_every_rule():
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    held = text[text.index(BEGIN) : text.index(END)]
    assert held == listing()[: len(held)], "run: python -m expectations.listing"
