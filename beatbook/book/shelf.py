"""The shelf: one page that leads to every book, packet, layer and quality page of a checkout.

It is written from what lies in ``reports/``, so it links what is there and nothing else; it
loads nothing, and its links are relative, so it works from a file share and from a stick.
"""

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from beatbook.areas import code_order
from beatbook.book import formatting
from beatbook.book.packet_names import packet_names
from beatbook.compstat.counts import precincts_in_force
from beatbook.department import Department, list_departments, load_department
from beatbook.errors import BeatbookError
from beatbook.files import write_atomically
from beatbook.home import Home

TEMPLATES = Path(__file__).parent / "template"
BOOK = "compstat"

_WORDS = {".html": "page", ".pdf": "PDF", ".csv": "CSV"}
_ORDER = tuple(_WORDS)


class Link(NamedTuple):
    """A file: where it lies from the shelf, what it is called, and its size in words."""

    href: str
    text: str
    size: str = ""


class Item(NamedTuple):
    """A packet or report with its files."""

    name: str
    links: list[Link]


class Week(NamedTuple):
    """One week of one department. Dates as ISO text to sort by, and as a reader is told them."""

    ending: str
    ending_words: str
    as_of: str
    as_of_words: str
    book: list[Link]
    packets: list[Item]
    reports: list[Item]
    layers: list[Link]


class Shelved(NamedTuple):
    """A department on the shelf."""

    slug: str
    name: str
    label: str
    trouble: str
    weeks: list[Week]
    last_good: Week | None
    quality_page: str
    quality: Any
    checked: str
    refreshed: str


def write_shelf(home: Home) -> Path:
    """Write the page that leads to all that has been made.

    Parameters
    ----------
    home
        The checkout.

    Returns
    -------
    Path
        ``reports/index.html``, written atomically; the same for the same reports and tables.
        Each department of the checkout has a section, also one without a book: it says what to
        run. Its weeks are listed newest first, with the files that are there: the book, packets
        by precinct, promoted reports, layers to download. A department whose last feed failed a
        critical check bears a HOLD banner, and its last good book stays linked. A department
        whose settings cannot be read is named with the reason and keeps its books.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "shelf"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    departments = [_shelved(slug, home) for slug in _slugs(home)]
    page = environment.get_template("index.html.j2").render(
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8")
        + (TEMPLATES / "shelf" / "shelf.css").read_text(encoding="utf-8"),
        script=(TEMPLATES / "shelf" / "shelf.js").read_text(encoding="utf-8"),
        departments=departments,
        weeks=sum(len(department.weeks) for department in departments),
    )
    out = home.reports / "index.html"
    write_atomically(out, (page.strip() + "\n").encode("utf-8"))
    return out


def _slugs(home: Home) -> list[str]:
    """The departments with settings, and those of which only reports are left."""
    left = {path.name for path in _folders(home.reports)}
    return sorted({*list_departments(home), *left})


def _shelved(slug: str, home: Home) -> Shelved:
    settings, trouble = None, ""
    try:
        settings = load_department(slug, home)
    except BeatbookError as error:
        trouble = str(error)
    weeks = [
        _week(folder, home, settings)
        for folder in sorted(_folders(home.reports / slug), reverse=True)
        if _day(folder.name) is not None
    ]
    weeks = [week for week in weeks if week.book or week.packets or week.reports or week.layers]
    quality_page = home.reports / slug / "quality" / "index.html"
    quality = _quality(slug, home) if settings else None
    return Shelved(
        slug=slug,
        name=settings.name if settings else slug,
        label=settings.areas.precinct.label if settings else "Precinct",
        trouble=trouble,
        weeks=weeks,
        last_good=next((week for week in weeks if week.book), None),
        quality_page=_href(quality_page, home) if quality_page.is_file() else "",
        quality=quality,
        checked=_moment(getattr(quality, "last_checked", None), settings),
        refreshed=_moment(_published_at(slug, home), settings),
    )


def _week(folder: Path, home: Home, settings: Department | None) -> Week:
    day = dt.date.fromisoformat(folder.name)
    as_of = _as_of(folder / f"{BOOK}.csv")
    others = [
        *_items(folder, home, _spoken, leave_out=BOOK),
        *_items(folder / "reports", home, _spoken),
    ]
    return Week(
        ending=day.isoformat(),
        ending_words=formatting.day(day),
        as_of=as_of.isoformat() if as_of else "",
        as_of_words=formatting.day(as_of) if as_of else "",
        book=_links([folder / f"{BOOK}{suffix}" for suffix in _ORDER], home),
        packets=_packets(folder / "packets", home, settings, day),
        reports=others,
        layers=[
            Link(_href(path, home), path.name, _size(path)) for path in _files(folder / "layers")
        ],
    )


def _packets(folder: Path, home: Home, settings: Department | None, day: dt.date) -> list[Item]:
    codes: dict[str, str] = {}
    if settings is not None:
        names = packet_names(precincts_in_force(settings, day))
        codes = {name: code for code, name in names.items()}
    items = _items(folder, home, lambda stem: codes.get(stem, stem))
    return sorted(items, key=lambda item: code_order(item.name))


def _items(folder: Path, home: Home, named: Any, leave_out: str = "") -> list[Item]:
    """The pages of a folder, each with its other renderings."""
    stems = sorted({path.stem for path in _files(folder) if path.suffix == ".html"} - {leave_out})
    return [
        Item(named(stem), _links([folder / f"{stem}{suffix}" for suffix in _ORDER], home))
        for stem in stems
    ]


def _links(paths: list[Path], home: Home) -> list[Link]:
    return [
        Link(_href(path, home), _WORDS[path.suffix], _size(path))
        for path in paths
        if path.is_file()
    ]


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder by name, without those that a writer has under way."""
    if folder.is_dir():
        yield from sorted(
            path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
        )


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )


def _href(path: Path, home: Home) -> str:
    """A relative address with forward slashes, whatever the system it was written on."""
    return quote(path.relative_to(home.reports).as_posix())


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1000))} kB"


def _spoken(stem: str) -> str:
    words = stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(name)
    except ValueError:
        return None


def _as_of(listing: Path) -> dt.date | None:
    """The as-of day of a book, from the first row of its figures."""
    if not listing.is_file():
        return None
    with listing.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file), None)
    return _day(str((first or {}).get("as_of", "")))


def _quality(slug: str, home: Home) -> Any:
    """Where the data stand, or None where nothing tells."""
    from beatbook.quality.summary import quality_summary

    try:
        found = quality_summary(slug, home)
    except BeatbookError:
        return None
    return found if found.last_checked else None


def _published_at(slug: str, home: Home) -> str:
    from beatbook.store import Store

    try:
        return Store(slug, home).find("incidents").published_at
    except BeatbookError:
        return ""


def _moment(stamp: str | None, settings: Department | None) -> str:
    """A time of a run (UTC) as the department's clock shows it."""
    if not stamp or settings is None:
        return ""
    moment = dt.datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    local = moment.astimezone(ZoneInfo(settings.timezone))
    return f"{formatting.day(local)}, {local:%H:%M} {local.tzname()}"
