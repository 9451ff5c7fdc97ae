"""Hundred-block addresses: no published address tells a house."""

import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st


@pytest.fixture
def publish(make_department):
    """Clean addresses in one feed and return what is published for each, in order."""
    department = make_department()

    def publish(addresses):
        rows = [
            department.row(Case=str(n), Number=number, Street=street)
            for n, (number, street) in enumerate(
                (a, "") if isinstance(a, str) else a for a in addresses
            )
        ]
        tables = department.clean(rows)
        told = dict(
            zip(tables.incidents["incident_number"], tables.incidents["block_address"], strict=True)
        )
        found = [told[str(n)] for n in range(len(rows))]
        return [text if isinstance(text, str) else None for text in found]

    return publish


ADDRESSES = {
    "1515 MAIN ST": "1500 block of MAIN ST",
    "1515A MAIN ST": "1500 block of MAIN ST",
    "1515 1/2 MAIN ST": "1500 block of MAIN ST",
    "12 OAK": "0 block of OAK",
    "100 OAK": "100 block of OAK",
    "4226-4 X AVE": "4200 block of X AVE",
    "15-A OAK": "0 block of OAK",
    "15/17 OAK": "0 block of OAK",
    "1515 & 1517 OAK ST": "1500 block of OAK ST",
    "#15 PLAZA SQ": "0 block of PLAZA SQ",
    "1515, OAK ST": "1500 block of OAK ST",
    "4916 - 5066 BLOCK OF JAY STREET NE": "4900 block of JAY STREET NE",
    "1500 BLK OAK ST": "1500 block of OAK ST",
    "  1515   N   OAK  ": "1500 block of N OAK",
    "7TH STREET NW AND P STREET NW": "7TH STREET NW AND P STREET NW",
    "500 W 125TH ST": "500 block of W 125TH ST",
    "101ST ST / 3RD AVE": "101ST ST / 3RD AVE",
    "0 GRAND / ARSENAL": "GRAND / ARSENAL",
    "0 I 70 / GRAND": "I 70 / GRAND",
    "100 MAIN / 2323 S. JEFFERSON": "100 block of MAIN / 2300 S. JEFFERSON",
    "BROADWAY 3217-3219": "BROADWAY 3200-3200",
    "I-70 / 1515A OAK": "I-70 / 1500A OAK",
    "200 OAK UNIT B": "200 block of OAK",
    "200 OAK #3": "200 block of OAK",
    "200 OAK APT 3 REAR": "200 block of OAK",
    "200 OAK APT.12-B": "200 block of OAK",
    "200 OAK STE 100": "200 block of OAK",
    "700 APT 5": None,
    # Words that begin as a unit does are streets.
    "100 N STERLING": "100 block of N STERLING",
    "0 MICHIGAN AVE / STEINS": "MICHIGAN AVE / STEINS",
    "100 E UNITY AVE": "100 block of E UNITY AVE",
    "4600 STEINLAGE": "4600 block of STEINLAGE",
    # Coordinates typed where a street belongs.
    "0 (89964035,103143066)": None,
    "0 @HYDE PARK : XY(90529346,10299": "@HYDE PARK :",
    "0 XY(88006780,102243": None,
    "0": None,
    "1515": None,
}


def test_addresses_by_example(publish):
    assert dict(zip(ADDRESSES, publish(ADDRESSES), strict=True)) == ADDRESSES


def test_an_address_joined_of_a_number_and_a_street(publish):
    given_as = {
        ("1515", "MAIN ST"): "1500 block of MAIN ST",
        ("", "MAIN ST"): "MAIN ST",
        ("1515", ""): None,
        ("", ""): None,
        ("0", "GRAND / ARSENAL"): "GRAND / ARSENAL",
        ("1500", "1515 MAIN ST"): "1500 block of 1500 MAIN ST",
    }
    assert dict(zip(given_as, publish(given_as), strict=True)) == given_as


STREETS = [
    "MAIN ST", "N KINGSHIGHWAY BLVD", "7TH ST", "W 125TH ST", "STERLING AVE", "UNITY PL",
    "JAY STREET NE", "DR MARTIN LUTHER KING DR", "S. JEFFERSON", "GRAND / ARSENAL", "E 22ND AVE",
]  # fmt: skip
number = st.integers(1, 99_999)
in_street = st.integers(100, 99_999)
street = st.sampled_from(STREETS)
suffix = st.sampled_from(["", "A", "b", " 1/2", "-4", "-B", " - 5066", "/17", ","])
unit = st.sampled_from(["", " APT 37", " #37", " UNIT 37B", " STE 3717", " RM. 37", " Apt37"])
address = st.one_of(
    st.builds("{}{} {}{}".format, number, suffix, street, unit),
    st.builds("{} BLOCK OF {}".format, number, street),
    st.builds("0 {} / {} {}".format, street, in_street, street),
    st.builds("{} {}".format, street, in_street),
    st.builds("{} - {} BLOCK OF {}".format, number, number, street),
)
ORDINAL = re.compile(r"\b\d+(ST|ND|RD|TH)\b")


@given(st.lists(address, min_size=80, max_size=80, unique=True))
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking a list takes minutes and tells no more
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_published_address_holds_a_house_number(publish, addresses):
    for given_as, told in zip(addresses, publish(addresses), strict=True):
        assert told, given_as
        numbers = re.findall(r"\d+", ORDINAL.sub("", told))
        assert all(text == "0" or text.endswith("00") for text in numbers), (given_as, told)
        # The street is still there.
        assert any(name.split()[-1] in told for name in STREETS)


def test_no_address_of_st_louis_tells_a_house(st_louis_tables):
    told = st_louis_tables.incidents["block_address"].dropna()
    told = told.drop_duplicates().str.replace(ORDINAL, "", regex=True)
    # Two digits are highways and numbered streets without their ending.
    numbers = told.str.findall(r"\d{3,}").explode().dropna()
    assert len(numbers) > 10_000
    assert numbers.str.endswith("00").all()
    assert not told.str.contains(r"\d{7}|XY\s*\(", regex=True).any()
    assert told.str.contains("STEINLAGE").any()
