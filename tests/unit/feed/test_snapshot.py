"""The snapshot: which files, hashed how, read once, and never counted twice."""

import hashlib
import os

import pytest

from beatbook.errors import FeedError
from beatbook.feed import Snapshot, snapshot, take_snapshot


@pytest.fixture
def two_months(small_department):
    row = small_department.row
    small_department.write("2024-01.csv", [row(), row(Case="24-000002")])
    small_department.write("2024-02.csv", [row(Case="24-000003", Month="2024-02")])
    return small_department


@pytest.fixture
def parsed(monkeypatch):
    """The files that are parsed, rather than found in the cache."""
    names = []
    real = snapshot.plain_text

    def watched(path, *rest, **options):
        names.append(path.name)
        return real(path, *rest, **options)

    monkeypatch.setattr(snapshot, "plain_text", watched)
    return names


def test_the_manifest_says_what_was_read(two_months):
    taken = two_months.snapshot()
    assert [(file.name, file.rows) for file in taken.files] == [
        ("2024-01.csv", 2),
        ("2024-02.csv", 1),
    ]
    assert taken.rows == 3
    for file in taken.files:
        content = (two_months.folder / "feed" / file.name).read_bytes()
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert file.size == len(content)
        assert file.layout == "monthly"


def test_the_hash_of_the_feed_changes_with_a_byte_and_with_a_name(two_months):
    before = two_months.snapshot().sha256
    assert two_months.snapshot().sha256 == before
    feed = two_months.folder / "feed"
    (feed / "2024-02.csv").rename(feed / "2024-03.csv")
    renamed = two_months.snapshot().sha256
    two_months.write("2024-03.csv", [two_months.row(Case="24-000004", Month="2024-02")])
    assert len({before, renamed, two_months.snapshot().sha256}) == 3


def test_a_file_is_parsed_once(two_months, parsed):
    first = two_months.snapshot()
    assert sorted(parsed) == ["2024-01.csv", "2024-02.csv"]
    assert two_months.snapshot() == first
    assert len(parsed) == 2


def test_a_changed_file_is_parsed_again_and_only_that(two_months, parsed):
    two_months.snapshot()
    parsed.clear()
    path = two_months.folder / "feed" / "2024-02.csv"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    two_months.write("2024-02.csv", [two_months.row(Case="24-000009", Month="2024-02")])
    # Same size and same time: only its content tells.
    os.utime(path, ns=times)
    taken = two_months.snapshot()
    assert parsed == ["2024-02.csv"]
    assert taken.files[1].rows == 1


def test_what_is_read_depends_on_the_settings_of_reading(two_months, parsed):
    two_months.snapshot()
    two_months.set(feed={"encoding": "cp1252"}).snapshot()
    assert len(parsed) == 4
    two_months.set(feed={"encoding": "cp1252"}, name="Another name").snapshot()
    assert len(parsed) == 4


def test_files_no_longer_in_the_feed_leave_the_cache(two_months):
    two_months.snapshot()
    assert len(list(two_months.cache.glob("*.parquet"))) == 2
    (two_months.folder / "feed" / "2024-01.csv").unlink()
    two_months.snapshot()
    assert len(list(two_months.cache.glob("*"))) == 1


def test_the_order_in_which_files_are_found_is_irrelevant(two_months, monkeypatch):
    expected = two_months.snapshot()
    real = snapshot.glob.glob
    monkeypatch.setattr(
        snapshot.glob, "glob", lambda *given, **options: real(*given, **options)[::-1]
    )
    assert two_months.snapshot() == expected


def test_a_refused_feed_leaves_nothing_half_read(two_months):
    two_months.write("2024-03.csv", "broken")
    with pytest.raises(FeedError, match=r"2024-03\.csv"):
        two_months.snapshot()
    assert not [path for path in two_months.cache.iterdir() if path.suffix != ".parquet"]
    (two_months.folder / "feed" / "2024-03.csv").unlink()
    assert two_months.snapshot().rows == 3


def test_a_snapshot_can_be_written_down_and_read(two_months, tmp_path):
    taken = two_months.snapshot()
    taken.save(tmp_path / "snapshot.json")
    assert Snapshot.load(tmp_path / "snapshot.json") == taken


# --- refusals ---


def test_an_empty_feed(small_department):
    with pytest.raises(FeedError, match="The feed of example is empty: no file matches feed/"):
        small_department.snapshot()


@pytest.mark.parametrize("attempt", range(4))
def test_the_same_file_under_two_names(two_months, attempt):
    # Two threads may parse the two at once; either way the copy is what is told.
    content = two_months.text([two_months.row(Case=str(n)) for n in range(200)])
    two_months.write("2024-03.csv", content).write("2024-03 (1).csv", content)
    with pytest.raises(FeedError) as refused:
        two_months.snapshot()
    assert "2024-03.csv" in str(refused.value) and "2024-03 (1).csv" in str(refused.value)
    assert "are the same file, byte for byte" in str(refused.value)


def test_two_files_of_one_name_in_two_folders(two_months):
    two_months.write("old/2024-01.csv", [two_months.row(Case="5")])
    two_months.set(feed={"files": "feed/**/*.csv"})
    with pytest.raises(FeedError, match=r"Two files of the feed are named 2024-01\.csv"):
        two_months.snapshot()


def test_a_folder_whose_name_is_a_pattern(make_department, tmp_path):
    from beatbook.department import load_department
    from beatbook.home import Home

    made = make_department()
    made.write("2024-01.csv", [made.row()])
    home = tmp_path / "work [2024]"
    made.home.root.rename(home)
    department = load_department("example", Home(home))
    assert take_snapshot(department, tmp_path / "cache").rows == 1
