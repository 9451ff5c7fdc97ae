"""The steward's loop by the real jobs: found, decided, applied, seen, before and after each run."""

import datetime as dt
import os

import pandas as pd
import pytest

from beatbook import load_table
from beatbook.errors import BeatbookError
from beatbook.home import HOME_VARIABLE
from beatbook.quality import loop
from beatbook.quality.decisions import decide, decisions_path
from pipelines.cli import main

SLUG = "washington_dc"

MONDAY = dt.datetime(2024, 3, 4, 12, tzinfo=dt.UTC)
ENDS = "ends_after_it_starts"
REFUSED = "refused_rows_are_known"


class Desk:
    """A small department, its refreshes on given days, and its tables after them."""

    def __init__(self, department, patch):
        self.department = department
        self.home = department.home
        self.patch = patch
        (self.home.root / "workspace.yaml").write_text("")
        patch.setenv(HOME_VARIABLE, str(self.home.root))
        patch.setenv("DAGSTER_HOME", str(self.home.root / ".dagster"))
        self.rows = [
            department.row(
                Case=f"24-{number:06}",
                Code=("031000", "051000", "061000", "071000")[number % 4],
                Date=f"01/{1 + number % 28:02}/2024 {number % 24:02}:17",
                Number=str(100 + 7 * number),
                X=str(700_100 + 3 * number),
                Ended=f"01/{1 + number % 28:02}/2024 {number % 24:02}:47",
                Reported="",
            )
            for number in range(240)
        ]
        self.rows[7] |= {"Case": "late", "Date": "01/05/2024 22:00", "Ended": "01/05/2024 04:00"}
        self.rows[8] |= {"Case": "early", "Date": "01/06/2024 22:00", "Ended": "01/05/2024 23:00"}
        self.rows[9] |= {"Case": "typo", "Date": "01/32/2024 10:00", "Ended": ""}

    def now(self, day):
        return MONDAY + dt.timedelta(days=day)

    def run(self, day):
        import dagster as dg

        from pipelines.definitions import build_definitions
        from pipelines.launch import run_job

        self.department.write("2024-01.csv", self.rows)
        self.patch.setattr(loop, "clock", lambda: self.now(day))
        definitions = build_definitions(str(self.home.root))
        with dg.DagsterInstance.ephemeral() as instance:
            run_job(definitions, "refresh", instance, self.department.slug)

    def table(self, name):
        return load_table(name, self.department.slug, home=self.home)

    def incident(self, case):
        found = self.table("incidents")
        return found[found["incident_number"] == case].iloc[0]

    def item(self, check, record_id):
        queue = self.table("quality_queue")
        return queue[(queue["check"] == check) & (queue["record_key"] == record_id)].iloc[0]

    def decide(self, day, item, action, **given):
        return decide(
            self.department.slug, item, action, by="steward", home=self.home,
            now=self.now(day), **given,
        )  # fmt: skip


@pytest.fixture
def desk(small_department, tmp_path, monkeypatch):
    # Dagster reads the list of departments once a process: the made-up one bears a shipped name.
    made_up = type("Shipped", (type(small_department),), {"slug": SLUG})
    return Desk(made_up(tmp_path / "desk"), monkeypatch)


def test_what_is_decided_takes_effect_with_the_next_run(desk, capsys):
    desk.run(0)
    rejected = desk.table("rejected_incidents")
    typo = rejected.loc[rejected["incident_number"] == "typo", "record_id"].item()
    late, early = desk.incident("late")["record_id"], desk.incident("early")["record_id"]
    asked = {
        "typo": desk.item(REFUSED, typo),
        "late": desk.item(ENDS, late),
        "early": desk.item(ENDS, early),
    }
    assert {item["state"] for item in asked.values()} == {"new"}
    before = desk.table("incidents").attrs["provenance"]["decisions_sha256"]
    assert len(desk.table("incidents")) == 239

    # A correction of an accepted and of a refused record; a waiver of a week.
    desk.decide(1, asked["late"]["item"], "correct", field="occurred_to", value="2024-01-06 04:00")
    desk.decide(1, asked["typo"]["item"], "correct", field="occurred_from",
                value="2024-01-23 10:00", note="read from the paper report")  # fmt: skip
    desk.decide(1, asked["early"]["item"], "waive", until="2024-03-11")
    assert len(desk.table("incidents")) == 239
    desk.run(2)
    assert len(desk.table("incidents")) == 240 and desk.table("rejected_incidents").empty
    assert desk.incident("late")["occurred_to"] == pd.Timestamp("2024-01-06 04:00")
    mended = desk.incident("typo")
    assert mended["occurred_from"] == pd.Timestamp("2024-01-23 10:00")
    assert (mended["record_id"], mended["corrected_fields"]) == (typo, "occurred_from")
    corrections = desk.table("corrections").set_index("record_id")
    assert corrections["took_effect"].all()
    assert corrections.loc[typo, "published_value"] == "01/32/2024 10:00"
    assert desk.item(ENDS, late)["state"] == desk.item(REFUSED, typo)["state"] == "corrected"
    assert tuple(desk.item(ENDS, early)[["state", "waived_until"]]) == ("waived", "2024-03-11")
    provenance = desk.table("incidents").attrs["provenance"]
    assert provenance["decisions_sha256"] != before
    counted = desk.table("weekly_counts")
    assert counted["incidents"].sum() == 240
    page = desk.home.reports / desk.department.slug / "quality" / "index.html"
    assert page.is_file()

    # The waiver ends; a correction is taken back.
    desk.decide(3, asked["late"]["item"], "reopen", note="the paper report says otherwise")
    desk.run(8)
    assert desk.item(ENDS, early)["state"] == "new" and desk.item(ENDS, early)["reopened"] == 1
    reopened = desk.item(ENDS, late)
    assert (reopened["state"], reopened["reopened"]) == ("new", 1)
    assert desk.incident("late")["occurred_to"] == pd.Timestamp("2024-01-05 04:00")
    assert list(desk.table("corrections")["record_id"]) == [typo]

    # The publisher mends one record (another row for us) and the corrected one.
    desk.rows[8]["Ended"] = "01/06/2024 23:00"
    desk.rows[9]["Date"] = "01/23/2024 10:00"
    desk.run(9)
    assert desk.item(ENDS, early)["state"] == "fixed at source"
    assert desk.item(REFUSED, typo)["state"] == "fixed at source"
    (gone,) = desk.table("corrections").to_dict("records")
    assert not gone["took_effect"] and "no longer holds this record" in gone["reason"]
    assert desk.table("incidents")["corrected_fields"].isna().all()

    # It goes back to the old export: the question is open again, and so is the correction's.
    desk.rows[8]["Ended"] = "01/05/2024 23:00"
    desk.run(10)
    again = desk.item(ENDS, early)
    assert (again["state"], again["reopened"]) == ("new", 2)

    # Each run of each rule is kept.
    results = desk.table("quality_results")
    assert results["run_id"].nunique() == 5
    history = results[results["check"] == ENDS].sort_values("checked_at")["failing"].tolist()
    assert history == [2, 1, 2, 1, 2]

    capsys.readouterr()
    assert main(["quality", "list", "--department", SLUG, "--check", ENDS]) == 0
    told = capsys.readouterr().out
    assert again["item"] in told and "2 of 2 items" in told
    given = ["quality", "--department", SLUG, "decide", "--item", again["item"], "--by", "me"]
    assert main([*given, "--action", "waive"]) == 1
    assert "Waive needs until" in capsys.readouterr().err
    assert main([*given, "--action", "not_an_error", "--note", "night shift"]) == 0
    assert f"departments/{SLUG}/decisions.csv" in capsys.readouterr().out
    assert main(["quality", "list", "--department", SLUG, "--check", ENDS]) == 0
    assert "1 of 1 items" in capsys.readouterr().out
    assert main(["quality", "--department", SLUG]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Open: ") and f"reports/{SLUG}/quality/index.html" in told
    assert main(["quality"]) == 1
    assert "Say which department" in capsys.readouterr().err


def test_a_blocked_run_is_recorded_and_can_be_decided_on(desk):
    desk.run(0)
    before = desk.table("incidents")
    for row in desk.rows[:200]:
        row["Ended"] = "01/01/2020 00:00"
    with pytest.raises(BeatbookError, match="Nothing was published"):
        desk.run(1)
    after = desk.table("incidents")
    assert after.attrs["provenance"] == before.attrs["provenance"]
    results = desk.table("quality_results")
    assert results["run_id"].nunique() == 2
    queue = desk.table("quality_queue")
    mine = queue[(queue["check"] == ENDS) & (queue["state"] == "new") & (queue["times_seen"] == 1)]
    assert len(mine) > 150
    # A record that is only in the staged tables can be corrected.
    published = set(before["record_id"])
    staged = mine[~mine["record_key"].isin(published)].iloc[0]
    desk.decide(2, staged["item"], "correct", field="occurred_to", value="")


def test_a_bad_line_of_decisions_stops_the_run_by_its_number(desk):
    desk.run(0)
    before = desk.table("incidents").attrs["provenance"]
    path = decisions_path(desk.department.load())
    item = desk.table("quality_queue")["item"].iloc[0]
    desk.decide(0, item, "comment", note="fine")
    path.write_bytes(path.read_bytes() + b"torn,line")
    with pytest.raises(BeatbookError, match=rf"{SLUG}/decisions.csv, line 3: .*no end"):
        desk.run(1)
    assert desk.table("incidents").attrs["provenance"] == before
    assert os.path.getsize(path)
