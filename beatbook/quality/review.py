"""The steward's form: one item of the queue after the other, seen, decided, saved.

For a notebook; ipywidgets is imported when a form is made.
"""

import datetime as dt
from html import escape
from typing import Any

import pandas as pd

from beatbook.book import formatting
from beatbook.department import load_department
from beatbook.errors import BeatbookError, MissingTable
from beatbook.home import Home, find_home
from beatbook.incidents.corrections import CORRECTABLE
from beatbook.quality import view
from beatbook.quality.decisions import decide, read_decisions
from beatbook.quality.queue import OPEN_STATES, STATES
from beatbook.quality.records import find_record
from beatbook.quality.redaction import is_place, shown_values, without_house_numbers
from beatbook.quality.summary import SEVERITIES
from beatbook.store import load_table

ACTIONS = {
    "Correct the record": "correct",
    "It is not an error": "not_an_error",
    "Waive until a day": "waive",
    "Give it to somebody": "assign",
    "Open it again": "reopen",
    "Only write a note": "comment",
}
"""What a steward can do, in the form's words, and the action that it is."""

_ASKS = {
    "correct": ("field", "value"),
    "waive": ("until",),
    "assign": ("owner", "due"),
    "not_an_error": (),
    "reopen": (),
    "comment": (),
}
_FIELDS = ("field", "value", "until", "owner", "due")
_SHOWN_OF_RECORD = (
    "incident_number", "offense_code", "offense", "count", "occurred_from", "occurred_to",
    "reported_at", "known_on", "precinct", "precinct_recorded", "beat", "neighborhood",
    "block_address", "location_quality", "origin", "corrected_fields", "reason",
)  # fmt: skip


class Review:
    """A form over a department's queue; show it by naming it in a notebook's last line.

    Attributes
    ----------
    box
        The widget that holds the others.
    state, severity, check, text
        What the list is filtered by.
    item
        The list; its value is an item's id.
    detail, record
        What the rule says, and the record as the tables hold it.
    action, field, value, until, owner, due, note, by
        The decision.
    save, skip
        Write the decision and go to the next item; go there without one.
    message
        What came of it.
    """

    def __init__(self, department: str, home: Home | None = None, by: str = "") -> None:
        import ipywidgets as widgets  # type: ignore[import-untyped]

        self.department, self.home = department, home or find_home()
        self._settings = load_department(department, self.home)
        self._clock = view.Clock(self._settings.timezone)
        self._queue = self._read_queue()
        self._updating = False

        wide = widgets.Layout(width="95%")
        checks = sorted(set(self._queue["check"]))
        self.state = widgets.Dropdown(
            options=[("open", "open"), ("any", "")] + [(state, state) for state in STATES],
            value="open", description="State",
        )  # fmt: skip
        self.severity = widgets.Dropdown(
            options=[("any", ""), *((name, name) for name in SEVERITIES)], description="Severity"
        )
        self.check = widgets.Dropdown(
            options=[("any", ""), *((view.named(check), check) for check in checks)],
            description="Rule",
        )
        self.text = widgets.Text(description="Text", continuous_update=False)
        self.item = widgets.Select(description="Items", rows=8, layout=wide)
        self.detail, self.record = widgets.HTML(), widgets.HTML()
        self.action = widgets.Dropdown(options=list(ACTIONS.items()), description="Decision")
        self.field = widgets.Dropdown(options=["", *CORRECTABLE], description="Field")
        self.value = widgets.Text(description="New value", placeholder="empty to empty the field")
        self.until = widgets.DatePicker(description="Until")
        self.owner = widgets.Text(description="Owner", placeholder="a role or initials")
        self.due = widgets.DatePicker(description="Due")
        self.note = widgets.Textarea(
            description="Note", placeholder="why; no names, no house numbers", layout=wide
        )
        self.by = widgets.Text(value=by, description="Decided by", placeholder="a role or initials")
        self.save = widgets.Button(description="Save and go on", button_style="primary")
        self.skip = widgets.Button(description="Skip")
        self.message = widgets.HTML()
        self.box = widgets.VBox(
            [
                widgets.HBox([self.state, self.severity, self.check, self.text],
                             layout=widgets.Layout(flex_flow="row wrap")),
                self.item, self.detail, self.record, self.action, self.field, self.value,
                self.until, self.owner, self.due, self.note, self.by,
                widgets.HBox([self.save, self.skip]), self.message,
            ]
        )  # fmt: skip
        for chosen in (self.state, self.severity, self.check, self.text):
            chosen.observe(self._filter, names="value")
        self.item.observe(self._show_item, names="value")
        self.action.observe(self._show_action, names="value")
        self.save.on_click(self._save)
        self.skip.on_click(lambda _: self._next())
        self._filter()
        self._show_action()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.box._repr_mimebundle_(**options)

    def _read_queue(self) -> pd.DataFrame:
        queue = load_table("quality_queue", self.department, home=self.home)
        decided = view.by_now(queue, read_decisions(self._settings))
        assert decided is not None
        rank = {name: place for place, name in enumerate(SEVERITIES)}
        return (
            decided.assign(rank=decided["severity"].map(rank).fillna(len(rank)))
            .sort_values(["rank", "first_seen", "check", "record_key", "field"])
            .reset_index(drop=True)
        )

    def _fitting(self) -> pd.DataFrame:
        rows = self._queue
        if self.state.value == "open":
            rows = rows[rows["state"].isin(OPEN_STATES)]
        elif self.state.value:
            rows = rows[rows["state"] == self.state.value]
        for chosen, column in ((self.severity, "severity"), (self.check, "check")):
            if chosen.value:
                rows = rows[rows[column] == chosen.value]
        wanted = self.text.value.strip().lower()
        if wanted:
            # Not the observed values: searching for a house number must not confirm it.
            said = rows[["item", "check", "record_key", "field", "source_file", "owner"]]
            joined = said.fillna("").agg(" ".join, axis=1).str.lower()
            rows = rows[joined.str.contains(wanted, regex=False)]
        return rows

    def _filter(self, _change: Any = None, then: str | None = None) -> None:
        rows = self._fitting()
        options = [
            (
                f"{row['severity']}: {view.named(row['check'])}: "
                f"{without_house_numbers(row['record_key'])}",
                row["item"],
            )
            for row in rows.head(view.ITEMS_SHOWN).to_dict("records")
        ]
        known = [item for _, item in options]
        keep = then if then in known else self.item.value if self.item.value in known else None
        # The options and the value change one after the other: show the item once, at the end.
        self._updating = True
        self.item.options = options
        self.item.value = keep or (known[0] if known else None)
        self._updating = False
        more = f" (the first {len(options):,} are listed)" if len(rows) > len(options) else ""
        self._say(f"{formatting.counted(len(rows), 'item')}{more}.")
        self._show_item()

    def _show_item(self, _change: Any = None) -> None:
        if self._updating:
            return
        chosen = self._queue[self._queue["item"] == self.item.value]
        self.save.disabled = self.skip.disabled = chosen.empty
        if chosen.empty:
            self.detail.value = self.record.value = ""
            return
        row = chosen.iloc[0]
        placed, record = self._record_of(str(row["record_key"]))
        (said,) = view.queue_rows(chosen, placed, self._clock, None)
        lines = {
            "Rule": f"{said['name']} ({said['table']}, {said['severity']})",
            "Why it matters": str(row["why"]),
            "Record": said["record"],
            "Field": said["field"],
            "Observed": said["observed"] or "(empty)",
            "Expected": said["expected"],
            "Source": f"{said['source_file']}, row {said['source_row']}"
            if said["source_row"]
            else said["source_file"],
            "First seen": said["first_seen"],
            "Seen in": formatting.counted(said["times_seen"], "run"),
            "State": said["state"],
            "Note": said["note"],
        }
        self.detail.value = _table("Item", lines)
        self.record.value = _table("The record in the tables", record)
        self.field.value = said["correct"] or ""
        for name in ("value", "note"):
            getattr(self, name).value = ""
        self.until.value = self.due.value = None

    def _record_of(self, record_key: str) -> tuple[set[str], dict[str, str]]:
        """Whether the record's place is published, and the record as it may be shown."""
        if not view.RECORD_ID.fullmatch(record_key):
            return set(), {}
        try:
            found = find_record(self._settings, record_key, self.home)
        except BeatbookError as error:
            return set(), {"Not at hand": str(error)}
        if found is None:
            return set(), {"Not at hand": "Neither the incidents nor the refused rows hold it."}
        read = {k: v for k, v in found.read.items() if not formatting.is_missing(v)}
        placed = (
            {record_key} if {"x", "block_address"} & set(read) and "reason" not in read else set()
        )
        shown = pd.DataFrame(
            [
                {"record": record_key, "field": name, "value": str(read[name]), "source_row": 1}
                for name in _SHOWN_OF_RECORD
                if name in read
            ],
            columns=["record", "field", "value", "source_row"],
        )
        shown = shown_values(shown, ("value",), "record", placed)
        return placed, dict(zip(shown["field"], shown["value"], strict=True))

    def _show_action(self, _change: Any = None) -> None:
        for name in _FIELDS:
            asked = name in _ASKS[self.action.value]
            getattr(self, name).layout.display = None if asked else "none"

    def _given(self) -> dict[str, Any]:
        """What the chosen action asks for, and nothing that was filled in for another one."""
        given = {name: getattr(self, name).value for name in _ASKS[self.action.value]}
        return {
            name: value.isoformat() if isinstance(value, dt.date) else value or ""
            for name, value in given.items()
        }

    def _save(self, _button: Any) -> None:
        item = str(self.item.value)
        try:
            made = decide(
                self.department, item, self.action.value, by=self.by.value,
                note=self.note.value, home=self.home, **self._given(),
            )  # fmt: skip
        except BeatbookError as error:
            self._say(f"Not saved. {error}", refused=True)
            return
        after = self._following()
        self._queue = self._read_queue()
        self._filter(then=after)
        what = f"{made['field']} = " if made["action"] == "correct" else ""
        # A corrected place is not repeated: the line stays in the notebook when it is saved.
        told = "a new place" if is_place(made["field"]) else made["value"] or "(empty)"
        self._say(
            f"Saved: {made['item']} {view.named(made['action'])} "
            f"{what + told if what else ''}".rstrip()
            + f". The next run applies it. {formatting.counted(len(self._fitting()), 'item')} left."
        )

    def _following(self) -> str | None:
        items = [item for _, item in self.item.options]
        if self.item.value not in items:
            return None
        place = items.index(self.item.value)
        return items[place + 1] if place + 1 < len(items) else None

    def _next(self) -> None:
        after = self._following()
        if after is None:
            self._say("That was the last item of this list.")
        else:
            self.item.value = after

    def _say(self, text: str, refused: bool = False) -> None:
        mark = "<strong>✕</strong> " if refused else ""
        # An alert is read out at once, a status when there is a pause.
        role = "alert" if refused else "status"
        self.message.value = f'<p role="{role}">{mark}{escape(text)}</p>'


def review(department: str, home: Home | None = None, by: str = "") -> Review:
    """Make the form in which a steward goes through the queue.

    Parameters
    ----------
    department
        The department's short name.
    home
        The checkout; found from the current folder if not given.
    by
        Who decides: a role or initials. It stays filled in from item to item.

    Returns
    -------
    Review
        Named in a notebook's last line it is shown. Saving writes the decision to the
        department's ``decisions.csv`` and goes to the next item; a decision that cannot stand is
        not written, and the form says why. Addresses are shown at the hundred block, the place
        of a sex offense not at all.

    Raises
    ------
    UnknownDepartment, SettingsError
        If there is no such department, or its settings or decisions cannot be read.
    MissingTable
        If there is no queue yet; the message says what to run.
    """
    try:
        return Review(department, home, by)
    except MissingTable:
        raise MissingTable(
            f"{department} has no queue yet: the first run that checks it makes one. "
            f"Run: beatbook report --department {department}"
        ) from None


def _table(title: str, lines: dict[str, str]) -> str:
    if not lines:
        return ""
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;padding:0 12px 0 0">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in lines.items()
        if value
    )
    return f"<table><caption><strong>{escape(title)}</strong></caption>{rows}</table>"
