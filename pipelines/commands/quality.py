"""``beatbook quality``: the steward's page and queue, and decisions on it."""

import argparse
import getpass
import webbrowser
from typing import Any

from beatbook.errors import InvalidInput
from beatbook.home import Home
from pipelines.commands import arguments

# As in beatbook.quality, which would load pandas for a help text.
_ACTIONS = ("waive", "correct", "assign", "not_an_error", "reopen", "comment")
_SHOWN = ["item", "severity", "state", "check", "record_key", "field", "observed", "expected"]


def add(commands: Any) -> None:
    """Add the commands of the data steward."""
    quality = commands.add_parser("quality", help="the data steward's page, queue and decisions")
    quality.add_argument("--department", help="a folder under departments/")
    quality.add_argument("--open", action="store_true", help="open the page in the browser")
    quality.set_defaults(run=_page)
    parts = quality.add_subparsers(metavar="list | decide")

    listing = parts.add_parser("list", help="list the items of the queue")
    # Given before or after the word: what is not given here keeps what was given there.
    _department(listing)
    listing.add_argument("--check", help="only what this rule found")
    listing.add_argument(
        "--state", help="only items in this state: new, assigned, ...; open (the default), all"
    )
    listing.add_argument("--limit", type=int, default=20, help="at most so many; 20 if not given")
    listing.set_defaults(run=_list)

    deciding = parts.add_parser("decide", help="decide on an item; the next run applies it")
    _department(deciding)
    deciding.add_argument("--item", required=True, help="its id, or how it begins")
    deciding.add_argument("--action", required=True, choices=_ACTIONS)
    deciding.add_argument(
        "--field", default="", help="what to correct; the item's field if not given"
    )
    deciding.add_argument(
        "--value", default="", help="the corrected value; empty to empty the field"
    )
    deciding.add_argument("--until", type=arguments.date, help="last day of a waiver (ISO date)")
    deciding.add_argument("--owner", default="", help="who is to look at it")
    deciding.add_argument("--due", type=arguments.date, help="by when (ISO date)")
    deciding.add_argument("--note", default="", help="the reason; no names, no house numbers")
    deciding.add_argument("--by", help="who decides; the name of your account if not given")
    deciding.set_defaults(run=_decide)


def _department(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--department", default=argparse.SUPPRESS, help="a folder under departments/"
    )


def _named(chosen: argparse.Namespace, home: Home) -> str:
    from beatbook.department import load_department

    if not chosen.department:
        raise InvalidInput("Say which department: --department, a folder under departments/.")
    return load_department(chosen.department, home).slug


def _page(chosen: argparse.Namespace, home: Home) -> int:
    import pandas as pd

    from beatbook.quality.page import write_page
    from beatbook.quality.queue import OPEN_STATES
    from beatbook.store import load_table

    department = _named(chosen, home)
    queue = load_table("quality_queue", department, home=home)
    path = write_page(department, home)
    waiting = queue[queue["state"].isin(OPEN_STATES)]
    if waiting.empty:
        print("Nothing waits for a decision.")
    else:
        counts = waiting["severity"].value_counts()
        told = [
            f"{counts[severity]:,} {severity}"
            for severity in ("critical", "warning", "info")
            if severity in counts
        ]
        oldest = pd.Timestamp(waiting["first_seen"].min())
        print(f"Open: {', '.join(told)}. The oldest has waited since {oldest:%Y-%m-%d}.")
    print(path.relative_to(home.root).as_posix() if path.is_relative_to(home.root) else path)
    if chosen.open:
        webbrowser.open(path.as_uri())
    return 0


def _list(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.department import load_department
    from beatbook.quality.decisions import read_decisions, state_by_now
    from beatbook.quality.queue import OPEN_STATES, STATES
    from beatbook.store import load_table

    department = _named(chosen, home)
    queue = load_table("quality_queue", department, home=home)
    decisions = read_decisions(load_department(department, home))
    touched = queue["item"].isin(set(decisions["item"]))
    queue.loc[touched, "state"] = [
        state_by_now(row, decisions) for _place, row in queue[touched].iterrows()
    ]
    wanted = chosen.state or "open"
    if wanted not in ("all", "open", *STATES):
        raise InvalidInput(f"No state {wanted!r}; there are {', '.join(STATES)}, open, all.")
    if wanted != "all":
        queue = queue[queue["state"].isin(OPEN_STATES if wanted == "open" else [wanted])]
    if chosen.check:
        known = set(load_table("quality_queue", department, columns=["check"], home=home)["check"])
        if chosen.check not in known:
            raise InvalidInput(
                f"The queue has nothing of a check {chosen.check!r}; it has "
                f"{', '.join(sorted(known)) or 'no item at all'}."
            )
        queue = queue[queue["check"] == chosen.check]
    rank = queue["severity"].map({"critical": 0, "warning": 1, "info": 2})
    queue = queue.assign(rank=rank).sort_values(["rank", "first_seen", "item"], kind="stable")
    shown = _fit_to_show(queue, department, home).head(max(chosen.limit, 0))
    if len(shown):
        print(shown[_SHOWN].fillna("").to_string(index=False, max_colwidth=48))
    print(f"{len(shown):,} of {len(queue):,} items.")
    return 0


def _fit_to_show(queue: Any, department: str, home: Home) -> Any:
    """Without the values of a place: a terminal's history is no place for them."""
    from beatbook.quality.redaction import is_place, without_house_numbers

    queue = queue.copy()
    place = queue["field"].map(is_place).astype(bool)
    for column in ("observed", "expected"):
        text = queue[column].fillna("").map(without_house_numbers)
        queue[column] = text.where(~place | (text == ""), "(a place, see the page)")
    return queue


def _decide(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.quality.decisions import decide

    department = _named(chosen, home)
    made = decide(
        department,
        chosen.item,
        chosen.action,
        by=chosen.by or _account(),
        field=chosen.field,
        value=chosen.value,
        until=chosen.until or "",
        owner=chosen.owner,
        due=chosen.due or "",
        note=chosen.note,
        home=home,
    )
    what = f"{made['field']} = {made['value'] or '(empty)'}" if made["action"] == "correct" else ""
    print(
        f"Written to departments/{department}/decisions.csv: {made['item']} "
        f"{made['action']} {what}".rstrip()
        + f". It takes effect with the next run: beatbook report --department {department}"
    )
    return 0


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise InvalidInput("Say who decides: --by, a name or a role.") from None
