"""The steward's form, driven as a hand would: choose, fill in, press the button."""

import csv
import datetime as dt
from typing import Any

import pandas as pd
import pytest

from beatbook.errors import MissingTable
from beatbook.quality.queue import FINDING_COLUMNS, update_queue
from beatbook.quality.review import Review, review
from beatbook.store import Store

CHECKED = dt.datetime(2024, 2, 5, 12, 0, tzinfo=dt.UTC)


def finding(check: str, severity: str, record_key: str, field: str, **more: Any) -> dict[str, Any]:
    given = dict.fromkeys(FINDING_COLUMNS, "")
    given |= {
        "table": "incidents", "check": check, "severity": severity, "why": f"Why {check} matters.",
        "queue": "each", "record_key": record_key, "field": field, "expected": "something else",
        "source_file": "2024-01.csv", "source_row": None,
    }  # fmt: skip
    return given | more


_READY: list[Any] = []


@pytest.fixture
def department(make_department):
    """Three records cleaned as by a run, and a queue that asks about them.

    Made once for this file; what a test decides is taken away after it.
    """
    if not _READY:
        _READY.append(prepared(make_department()))
    (ready,) = _READY
    yield ready
    (ready.folder / "decisions.csv").unlink(missing_ok=True)


def prepared(department: Any) -> Any:
    rows = [
        department.row(Date="01/31/2024 23:00", Reported="01/03/2024 08:00"),
        department.row(Case="24-000002", Number="4207", Street="BROADWAY"),
        department.row(Case="24-000003", Code="021000", Number="4207", Street="BROADWAY"),
    ]
    cleaned = department.clean(rows)
    store = Store("example", department.home)
    department.snapshot().save(store.folder / "snapshot.json")
    late, block, rape = cleaned.incidents.sort_values("source_row")["record_id"]
    address = {"observed": "4207 BROADWAY"}
    findings = pd.DataFrame(
        [
            finding("files_are_whole", "critical", "2024-01.csv", ""),
            finding("occurred_before_reported", "warning", late, "occurred_from",
                    observed="2024-01-31 23:00", source_row=1),
            finding("address_is_known", "warning", block, "block_address", source_row=2, **address),
            finding("address_is_known", "warning", rape, "block_address", source_row=3, **address),
        ]
    )  # fmt: skip
    queue = update_queue(None, findings, None, CHECKED, department="example")
    store.publish({"incidents": cleaned.incidents, "quality_queue": queue}, {"run_id": "made up"})
    department.records = {"late": late, "block": block, "rape": rape}
    return department


@pytest.fixture
def form(department) -> Review:
    return review("example", department.home, by="steward")


def lines(department: Any) -> list[dict[str, str]]:
    path = department.folder / "decisions.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def choose(form: Review, record: str) -> None:
    form.item.value = next(item for label, item in form.item.options if record in label)


def everything(form: Review) -> str:
    labels = " ".join(label for label, _ in form.item.options)
    return " ".join([labels, form.detail.value, form.record.value, form.message.value])


def test_it_opens_on_the_gravest_item_and_shows_it(form):
    assert len(form.item.options) == 4
    assert form.item.options[0][0].startswith("critical: files are whole")
    assert "Why files_are_whole matters." in form.detail.value
    assert form.record.value == ""


def test_an_item_comes_with_its_record(form, department):
    choose(form, department.records["late"])
    assert "2024-01.csv, row 1" in form.detail.value
    assert "2024-01-31 23:00" in form.detail.value and "something else" in form.detail.value
    assert "24-000001" in form.record.value and "Robbery" in form.record.value
    assert form.field.value == "occurred_from"


def test_filters_narrow_the_list(form, department):
    form.severity.value = "warning"
    assert len(form.item.options) == 3
    form.check.value = "address_is_known"
    assert len(form.item.options) == 2
    form.text.value = department.records["rape"]
    assert len(form.item.options) == 1 and "1 item." in form.message.value
    form.text.value = "no such thing"
    assert form.item.value is None and form.save.disabled and form.detail.value == ""
    form.text.value = ""
    assert len(form.item.options) == 2 and not form.save.disabled


def test_only_what_an_action_needs_is_asked(form):
    def asked() -> set[str]:
        names = ("field", "value", "until", "owner", "due")
        return {name for name in names if getattr(form, name).layout.display != "none"}

    assert asked() == {"field", "value"}
    form.action.value = "waive"
    assert asked() == {"until"}
    form.action.value = "assign"
    assert asked() == {"owner", "due"}
    form.action.value = "not_an_error"
    assert asked() == set()


def test_a_correction_is_written_and_the_form_goes_on(form, department):
    choose(form, department.records["late"])
    before = [item for _, item in form.item.options]
    item = form.item.value
    form.value.value, form.note.value = "2024-01-01 23:00", "a mistyped day"
    form.save.click()
    (line,) = lines(department)
    assert line["item"] == item and line["action"] == "correct" and line["decided_by"] == "steward"
    assert (line["field"], line["value"]) == ("occurred_from", "2024-01-01 23:00")
    assert "Saved" in form.message.value and "3 items left" in form.message.value
    assert item not in [known for _, known in form.item.options]
    assert item == before[-1] and form.item.value == before[0]  # after the last, the first
    assert form.value.value == form.note.value == "" and form.by.value == "steward"


def test_what_is_refused_says_why_and_stays(form, department):
    choose(form, department.records["late"])
    item = form.item.value
    form.value.value = "2032-01-31 23:00"
    form.save.click()
    assert lines(department) == []
    assert "Not saved." in form.message.value and "lies in the future" in form.message.value
    assert 'role="alert"' in form.message.value
    assert form.item.value == item and form.value.value == "2032-01-31 23:00"


@pytest.mark.parametrize(
    ("action", "given", "said"),
    [
        ("waive", {}, "Not saved."),
        ("assign", {}, "Not saved."),
        ("comment", {}, "Not saved."),
        ("reopen", {}, "Not saved."),
        ("not_an_error", {"by": ""}, "Say who decides"),
        ("not_an_error", {"note": "seen at 4207 Broadway St"}, "house number"),
    ],
)
def test_a_decision_that_lacks_something_is_refused(form, department, action, given, said):
    form.action.value = action
    for name, value in given.items():
        getattr(form, name).value = value
    form.save.click()
    assert said in form.message.value and lines(department) == []


def test_a_waiver_an_owner_and_no_error(form, department):
    first, second = [item for _, item in form.item.options][:2]
    form.action.value, form.until.value = "waive", dt.date(2099, 1, 31)
    form.save.click()
    form.action.value, form.owner.value = "assign", "records desk"
    form.due.value = dt.date(2099, 2, 1)
    assert form.item.value == second
    form.save.click()
    form.action.value = "not_an_error"
    form.save.click()
    written = lines(department)
    assert [line["action"] for line in written] == ["waive", "assign", "not_an_error"]
    assert written[0]["until"] == "2099-01-31" and written[1]["due"] == "2099-02-01"
    # An owner closes nothing; a waiver does, and can be looked at again.
    assert second in [item for _, item in form.item.options]
    form.state.value = "waived"
    assert [item for _, item in form.item.options] == [first]


def test_what_was_filled_in_for_another_action_is_not_sent(form, department):
    choose(form, department.records["late"])
    form.value.value = "2024-01-01 23:00"
    form.action.value, form.note.value = "not_an_error", "it was so"
    form.save.click()
    (line,) = lines(department)
    assert line["value"] == line["field"] == ""


def test_skipping_goes_on_and_ends_at_the_last(form):
    items = [item for _, item in form.item.options]
    for following in items[1:]:
        form.skip.click()
        assert form.item.value == following
    form.skip.click()
    assert form.item.value == items[-1] and "last item" in form.message.value


def test_no_house_number_and_no_place_of_a_rape(form, department):
    choose(form, department.records["block"])
    assert "4200 block of BROADWAY" in form.detail.value and "4207" not in everything(form)
    choose(form, department.records["rape"])
    assert "(place withheld)" in form.detail.value
    assert "BROADWAY" not in everything(form) and "4207" not in everything(form)


def test_markup_in_a_record_is_text(department):
    store = Store("example", department.home)
    queue = pd.read_parquet(store.find("quality_queue").path)
    strange = queue.assign(observed="<b>bold</b>", field="origin")
    store.publish({"quality_queue": strange}, {"run_id": "made up"})
    try:
        assert "&lt;b&gt;bold" in review("example", department.home).detail.value
    finally:
        store.publish({"quality_queue": queue}, {"run_id": "made up"})


def test_a_department_without_a_queue_is_told_what_to_run(small_department):
    with pytest.raises(MissingTable, match="beatbook report --department example"):
        review("example", small_department.home)


def test_it_shows_itself_in_a_notebook(form):
    assert "application/vnd.jupyter.widget-view+json" in form._repr_mimebundle_()
