"""Mail a week's packets and book to the lists of the department's settings, and keep a log of it.

The log, ``data/<department>/sendings.csv``, is only ever added to. It holds addresses, which are
personal data, so it is a file for the administrator and no table that notebooks load.
"""

import csv
import datetime as dt
import getpass
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from beatbook.book.packet_names import packet_names
from beatbook.compstat.counts import precincts_in_force
from beatbook.department import Department, load_department
from beatbook.errors import BeatbookError
from beatbook.home import Home
from pipelines import mail

LOG_COLUMNS = (
    "sent_at",
    "sent_by",
    "to",
    "department",
    "week_ending",
    "as_of",
    "what",
    "precinct",
    "file",
    "sha256",
    "result",
)
SENT = "sent"
LOCK_TIMEOUT_S = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Parcel:
    """One file and who is to have it."""

    what: str
    precinct: str
    path: Path
    to: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The file as it lies there now."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Sent:
    """What a distribution did: counts of addresses, and a sentence for each thing amiss."""

    sent: int
    already: int
    problems: tuple[str, ...]


class SendingsLog:
    """The append-only log of a department's sendings."""

    def __init__(self, department: str, home: Home) -> None:
        self.path = home.data / department / "sendings.csv"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from sending meanwhile, so that nobody is sent a file twice.

        Raises
        ------
        BeatbookError
            If somebody else's sending does not end within a minute.
        """
        from filelock import FileLock, Timeout

        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_name(".sendings.lock"), timeout=LOCK_TIMEOUT_S)
        try:
            lock.acquire()
        except Timeout:
            raise BeatbookError(
                f"Another beatbook send of {self.path.parent.name} is under way. Try again when "
                "it is done."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def rows(self) -> list[dict[str, str]]:
        """The sendings so far, oldest first; a line that a dying machine cut is left out."""
        if not self.path.is_file():
            return []
        with self.path.open(encoding="utf-8", newline="") as file:
            return [row for row in csv.DictReader(file) if row.get("result")]

    def add(self, rows: list[dict[str, str]]) -> None:
        """Add lines in one write, on disk before this returns."""
        out = io.StringIO()
        writer = csv.DictWriter(out, LOG_COLUMNS, lineterminator="\n")
        new = not self.path.is_file() or self.path.stat().st_size == 0
        if new:
            writer.writeheader()
        elif not self.path.read_bytes().endswith(b"\n"):
            out.write("\n")
        writer.writerows(rows)
        with self.path.open("ab") as file:
            file.write(out.getvalue().encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())

    def received(self) -> set[tuple[str, str]]:
        """Address and hash of every file that went out."""
        return {(row["to"], row["sha256"]) for row in self.rows() if row["result"] == SENT}


def parcels(
    department: Department, folder: Path, week_ending: dt.date, precinct: str | None = None
) -> list[Parcel]:
    """What is to be mailed of a week, by the department's settings.

    Parameters
    ----------
    department
        Its ``mail.packets`` and ``mail.book``.
    folder
        The week's folder of reports.
    week_ending
        The week: its precincts in force have the packets.
    precinct
        Only this precinct's packet, without the book.

    Raises
    ------
    BeatbookError
        If the settings name no server, nobody, not this precinct, or a precinct that is not in
        force in that week.
    """
    settings = department.mail
    where = f"{department.slug}/department.yaml"
    if settings is None:
        raise BeatbookError(f"{where} names no mail server. See Mail in docs/administrator.md.")
    packets = {code: to for code, to in settings.packets.items() if to}
    if precinct is not None:
        if precinct not in packets:
            known = ", ".join(sorted(packets)) or "none"
            raise BeatbookError(
                f"{where} has no list mail.packets for {precinct!r}. It has: {known}."
            )
        packets = {precinct: packets[precinct]}
    in_force = precincts_in_force(department, week_ending)
    strange = sorted(set(packets) - set(in_force))
    if strange:
        raise BeatbookError(
            f"{where}: mail.packets names {', '.join(strange)}, which is no precinct in force on "
            f"{week_ending}. In force: {', '.join(in_force)}."
        )
    names = packet_names(in_force)
    found = [
        Parcel("packet", code, folder / "packets" / f"{names[code]}.pdf", tuple(dict.fromkeys(to)))
        for code, to in sorted(packets.items())
    ]
    if precinct is None and settings.book:
        found.append(
            Parcel("book", "", folder / "compstat.pdf", tuple(dict.fromkeys(settings.book)))
        )
    if not found:
        raise BeatbookError(f"{where} names nobody: mail.packets and mail.book are empty.")
    return found


def distribute(
    home: Home,
    slug: str,
    week_ending: dt.date,
    say: Say,
    *,
    precinct: str | None = None,
    again: bool = False,
    even_if_held: bool = False,
    dry_run: bool = False,
) -> Sent:
    """Mail a week's packets and book, each file once to each address.

    Parameters
    ----------
    home
        The checkout.
    slug
        The department.
    week_ending
        The week, whose files have been made.
    say
        Told of each file and address.
    precinct
        Only this precinct's packet.
    again
        Send also what the log says an address has already received.
    even_if_held
        Send although a critical check holds the department's data.
    dry_run
        Only say what would be sent; nothing is mailed nor logged.

    Returns
    -------
    Sent
        A file that is not there or an address that is refused is named and the rest is sent; a
        server that is not there ends it.

    Raises
    ------
    BeatbookError
        If nothing may or can be sent: held, no such week, settings that name nobody.
    """
    department = load_department(slug, home)
    folder = home.reports / slug / week_ending.isoformat()
    wanted = parcels(department, folder, week_ending, precinct)
    _refuse_if_held(home, slug, even_if_held)
    as_of = _as_of(folder, slug, week_ending)
    log = SendingsLog(slug, home)
    sent = skipped = 0
    problems: list[str] = []
    with log.held():
        received = set() if again else log.received()
        for parcel in wanted:
            name = parcel.path.relative_to(home.root).as_posix()
            if not parcel.path.is_file():
                problems.append(
                    f"{name} is not there. Run: beatbook report --department {slug} "
                    f"--week-ending {week_ending}"
                )
                continue
            sha256 = parcel.sha256
            to = [who for who in parcel.to if (who, sha256) not in received]
            for who in parcel.to:
                if who not in to:
                    say(f"{name} has already been sent to {who}")
                    skipped += 1
            if not to:
                continue
            if dry_run:
                for who in to:
                    say(f"{name} would be sent to {who}")
                sent += len(to)
                continue
            results, stop = _send_one(department, parcel, name, week_ending, as_of, to)
            log.add(
                [
                    {
                        "sent_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                        "sent_by": _user(),
                        "to": who,
                        "department": slug,
                        "week_ending": week_ending.isoformat(),
                        "as_of": as_of,
                        "what": parcel.what,
                        "precinct": parcel.precinct,
                        "file": name,
                        "sha256": sha256,
                        "result": result,
                    }
                    for who, result in results.items()
                ]
            )
            for who, result in results.items():
                if result == SENT:
                    say(f"{name} sent to {who}")
                    sent += 1
                    received.add((who, sha256))
                elif not stop:
                    problems.append(f"{name} did not reach {who}: {result}")
            if stop:
                problems.append(stop)
                break
    return Sent(sent, skipped, tuple(problems))


def _send_one(
    department: Department,
    parcel: Parcel,
    name: str,
    week_ending: dt.date,
    as_of: str,
    to: list[str],
) -> tuple[dict[str, str], str]:
    """Result of each address, and why nothing further can be sent (empty if it can)."""
    settings = department.mail
    assert settings is not None
    label = department.areas.precinct.label
    title = f"{label} {parcel.precinct} packet" if parcel.precinct else "CompStat book"
    page = Path(name).with_suffix(".html").as_posix()
    text = (
        f"{department.name}\n"
        f"{title}, week ending {week_ending}, as of {as_of}.\n\n"
        f"The PDF is attached. The page with its maps is {page} in the Beatbook folder.\n"
        "Counts of the last weeks still rise as records are coded late; the last page says how "
        "they were made.\n"
    )
    subject = f"{title}, week ending {week_ending} ({department.city})"
    message = mail.compose(settings, to, subject, text, [parcel.path])
    try:
        refused = mail.send(message, settings)
    except mail.NoMailServer as error:
        return dict.fromkeys(to, f"failed: {error}"), str(error)
    except mail.MailError as error:
        return dict.fromkeys(to, f"failed: {error}"), ""
    return {who: f"refused: {refused[who]}" if who in refused else SENT for who in to}, ""


def _refuse_if_held(home: Home, slug: str, even_if_held: bool) -> None:
    from beatbook.quality.summary import quality_summary

    summary = quality_summary(slug, home)
    if summary.held and not even_if_held:
        raise BeatbookError(
            f"{slug} is on HOLD: {', '.join(summary.held_by)} failed when its feed was last "
            f"checked, so what lies there is the last good week. See reports/{slug}/quality/"
            "index.html; to send all the same, add --even-if-held."
        )


def _as_of(folder: Path, slug: str, week_ending: dt.date) -> str:
    table = folder / "compstat.csv"
    if not table.is_file():
        raise BeatbookError(
            f"The book of the week ending {week_ending} has not been made. Run: beatbook report "
            f"--department {slug} --week-ending {week_ending}"
        )
    with table.open(encoding="utf-8", newline="") as file:
        return str(next(csv.DictReader(file))["as_of"])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"
