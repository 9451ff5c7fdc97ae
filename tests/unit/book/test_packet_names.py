"""A precinct's code as a file name that every system takes."""

from hypothesis import given
from hypothesis import strategies as st

from beatbook.book.packet_names import packet_names


def test_plain_codes_keep_their_names():
    assert packet_names(["1", "2", "10", "North-East"]) == {
        "1": "1", "2": "2", "10": "10", "North-East": "North-East",
    }  # fmt: skip


def test_slashes_spaces_and_devices_are_made_safe():
    assert packet_names(["3/4", "South Side", "CON", "nul.x", "a.", "..", "*"]) == {
        "3/4": "3-4", "South Side": "South-Side", "CON": "precinct-CON",
        "nul.x": "precinct-nul.x", "a.": "a", "*": "precinct", "..": "precinct-2",
    }  # fmt: skip


def test_a_code_that_is_a_name_keeps_it_whatever_others_turn_into():
    assert packet_names(["A/B", "A-B", "a-b"]) == {"A/B": "A-B-3", "A-B": "A-B", "a-b": "a-b-2"}


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=12))
def test_names_are_safe_and_apart_in_any_order(codes):
    names = packet_names(codes)
    assert list(names) == codes
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded)) == len(folded)
    for name in names.values():
        assert name and not set(name) & set('<>:"/\\|?*\n\t ') and name[-1] not in ". "
    assert packet_names(codes[::-1]) == {code: names[code] for code in codes[::-1]}
