"""Packets and book go to the lists in the settings, once, and each sending is on record."""

import csv
import datetime as dt
import hashlib
import threading

import pytest
import yaml

from beatbook.errors import BeatbookError
from beatbook.quality import summary
from pipelines.cli import main
from pipelines.distribution import LOG_COLUMNS, SendingsLog, distribute

WEEK = "2024-03-10"
DAY = dt.date.fromisoformat(WEEK)


class Desk:
    """A department whose week lies there, as files made by hand, and its log."""

    def __init__(self, shop, office):
        self.shop, self.home, self.slug, self.office = shop, shop.home, shop.slug, office
        self.folder = self.home.reports / shop.slug / WEEK
        (self.folder / "packets").mkdir(parents=True)
        (self.folder / "compstat.csv").write_text("department,as_of\nx,2024-03-17\n")
        (self.folder / "compstat.pdf").write_bytes(b"%PDF book")
        for code in "12":
            self.packet(code).write_bytes(f"%PDF packet {code}".encode())
        self.settings(
            packets={"1": ["one@police.example"],
                     "2": ["two@police.example", "chief@police.example"]},
            book=["chief@police.example"],
        )  # fmt: skip

    def packet(self, code):
        return self.folder / "packets" / f"{code}.pdf"

    def settings(self, **mail):
        def change(text):
            settings = yaml.safe_load(text)
            settings["mail"] = {**(settings.get("mail") or self.office.settings()), **mail}
            return yaml.safe_dump(settings)

        self.shop.settings(change)

    def send(self, **options):
        self.said = []
        return distribute(self.home, self.slug, DAY, self.said.append, **options)

    @property
    def log(self):
        path = self.home.data / self.slug / "sendings.csv"
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def desk(workshop, post_office):
    return Desk(workshop(), post_office)


def test_each_list_receives_its_file_and_each_sending_is_on_record(desk):
    done = desk.send()

    assert (done.sent, done.already, done.problems) == (4, 0, ())
    got = {
        message["Subject"]: (to, next(message.iter_attachments()).get_content())
        for to, message in zip(desk.office.receivers, desk.office.messages, strict=True)
    }
    assert got == {
        "District 1 packet, week ending 2024-03-10 (Washington)": (
            ["one@police.example"], b"%PDF packet 1"),
        "District 2 packet, week ending 2024-03-10 (Washington)": (
            ["two@police.example", "chief@police.example"], b"%PDF packet 2"),
        "CompStat book, week ending 2024-03-10 (Washington)": (
            ["chief@police.example"], b"%PDF book"),
    }  # fmt: skip
    text = desk.office.messages[0].get_body().get_content()
    assert "as of 2024-03-17" in text
    assert "reports/washington_dc/2024-03-10/packets/1.html" in text

    first = desk.log[0]
    assert tuple(first) == LOG_COLUMNS
    assert dt.datetime.fromisoformat(first["sent_at"]).utcoffset() == dt.timedelta(0)
    assert {name: first[name] for name in LOG_COLUMNS[2:]} == {
        "to": "one@police.example",
        "department": "washington_dc",
        "week_ending": WEEK,
        "as_of": "2024-03-17",
        "what": "packet",
        "precinct": "1",
        "file": "reports/washington_dc/2024-03-10/packets/1.pdf",
        "sha256": hashlib.sha256(b"%PDF packet 1").hexdigest(),
        "result": "sent",
    }
    assert [row["to"] for row in desk.log] == [
        "one@police.example", "two@police.example", "chief@police.example", "chief@police.example"
    ]  # fmt: skip


def test_a_file_goes_to_an_address_once_until_it_changes_or_is_asked_for_again(desk):
    desk.send()
    assert desk.send().already == 4 and len(desk.office.messages) == 3

    desk.packet("1").write_bytes(b"%PDF packet 1, as of later")
    done = desk.send()
    assert (done.sent, done.already) == (1, 3)
    assert desk.office.receivers[-1] == ["one@police.example"]

    # Somebody new on a list receives what the others have already.
    desk.settings(packets={"1": ["one@police.example", "new@police.example"]}, book=[])
    assert desk.send().sent == 1 and desk.office.receivers[-1] == ["new@police.example"]

    assert desk.send(again=True).sent == 2
    assert [row["result"] for row in desk.log] == ["sent"] * 8


def test_one_precinct_alone_leaves_the_book_at_home(desk):
    assert desk.send(precinct="2").sent == 2
    assert len(desk.office.messages) == 1
    with pytest.raises(BeatbookError, match=r"no list mail.packets for '7'. It has: 1, 2"):
        desk.send(precinct="7")


def test_a_dry_run_says_all_and_sends_and_logs_nothing(desk):
    done = desk.send(dry_run=True)
    assert done.sent == 4 and desk.office.messages == []
    assert desk.said[0] == (
        "reports/washington_dc/2024-03-10/packets/1.pdf would be sent to one@police.example"
    )
    assert not (desk.home.data / desk.slug / "sendings.csv").exists()


def test_a_refused_address_is_on_record_and_tried_again_next_time(desk):
    desk.office.unknown = {"two@police.example"}
    done = desk.send(precinct="2")
    assert done.sent == 1
    assert "did not reach two@police.example: refused: no such mailbox here" in done.problems[0]
    assert [row["result"] for row in desk.log] == ["refused: no such mailbox here", "sent"]

    desk.office.unknown = set()
    assert desk.send(precinct="2").sent == 1
    assert desk.office.receivers[-1] == ["two@police.example"]


def test_an_address_nobody_has_does_not_keep_the_rest_from_their_packets(desk):
    desk.office.unknown = {"one@police.example"}
    done = desk.send()
    assert done.sent == 3 and len(done.problems) == 1
    assert "one@police.example" in done.problems[0]


def test_a_missing_packet_is_named_and_the_rest_is_sent(desk):
    desk.packet("1").unlink()
    done = desk.send()
    assert done.sent == 3
    assert done.problems == (
        "reports/washington_dc/2024-03-10/packets/1.pdf is not there. "
        "Run: beatbook report --department washington_dc --week-ending 2024-03-10",
    )


def test_a_dead_server_ends_it_after_the_first_and_is_on_record(desk, dead_port):
    desk.settings(port=dead_port)
    done = desk.send()
    assert done.sent == 0
    (problem,) = done.problems
    assert "could not be reached" in problem
    assert [row["result"][:7] for row in desk.log] == ["failed:"]
    desk.settings(port=desk.office.port)
    assert desk.send().sent == 4


def test_a_held_department_is_not_mailed_unless_it_is_said(desk, monkeypatch):
    real = summary.quality_summary
    monkeypatch.setattr(
        summary,
        "quality_summary",
        lambda *of: real(*of)._replace(held=True, held_by=("most_offenses_are_known",)),
    )
    with pytest.raises(BeatbookError, match=r"HOLD: most_offenses_are_known.*--even-if-held"):
        desk.send()
    assert desk.office.messages == []
    assert desk.send(even_if_held=True).sent == 4


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({"packets": {}, "book": []}, "names nobody"),
        ({"packets": {"9": ["x@y.example"]}}, r"9, which is no precinct in force .* 1, 2, 3"),
    ],
)
def test_settings_that_name_nobody_or_no_precinct_are_refused(desk, mail, said):
    desk.settings(**mail)
    with pytest.raises(BeatbookError, match=said):
        desk.send()


def test_a_week_that_was_not_made_is_refused(desk):
    with pytest.raises(BeatbookError, match=r"2024-03-03 has not been made\. Run: beatbook report"):
        distribute(desk.home, desk.slug, dt.date(2024, 3, 3), print)


def test_a_department_without_a_mail_server_is_told_where_to_read(workshop, capsys):
    workshop()
    assert main(["send", "--department", "washington_dc", "--week-ending", WEEK]) == 1
    assert "names no mail server. See Mail in docs/administrator.md" in capsys.readouterr().err


def test_the_command_tells_what_it_sent_and_fails_if_something_did_not_go(desk, capsys):
    desk.packet("2").unlink()
    command = ["send", "--department", desk.slug, "--week-ending", WEEK]
    assert main(command) == 1
    shown = capsys.readouterr()
    assert "packets/1.pdf sent to one@police.example" in shown.out
    assert shown.err.startswith("beatbook: reports/washington_dc/2024-03-10/packets/2.pdf")
    assert main([*command, "--precinct", "1"]) == 0
    assert "has already been sent" in capsys.readouterr().out


def test_two_people_sending_at_once_send_everything_once(desk):
    threads = [
        threading.Thread(target=distribute, args=(desk.home, desk.slug, DAY, lambda _: None))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.office.messages) == 3 and len(desk.log) == 4


def test_a_line_cut_by_a_dying_machine_costs_no_other_line(desk):
    desk.send()
    log = SendingsLog(desk.slug, desk.home)
    whole = log.rows()
    with log.path.open("ab") as file:
        file.write(b"2024-03-11T11:00:00+00:00,so")
    assert log.rows() == whole
    log.add([whole[0]])
    assert log.rows() == [*whole, whole[0]]
