"""The file names of packets: a precinct's code, made safe for every file system."""

import re
from collections.abc import Sequence

# Names that Windows keeps for devices, whatever the suffix.
_NUMBERED = [f"{name}{number}" for name in ("com", "lpt") for number in range(10)]
_DEVICES = {"con", "prn", "aux", "nul", *_NUMBERED}


def packet_names(codes: Sequence[str]) -> dict[str, str]:
    """Give each precinct the name of its packet's files, without suffix.

    Parameters
    ----------
    codes
        The precincts in force in a week, each once.

    Returns
    -------
    dict
        Code to name, in the order given. Letters, digits, ``-``, ``_`` and inner dots stay; any
        other run of characters (a slash, spaces) becomes ``-``. No name is a Windows device, ends
        in a dot, or differs from another only by case: then a number is added, to the code that
        comes later in the alphabet, so that a week's order does not decide.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    # The codes that are names already keep theirs, whatever others turn into.
    for code in sorted(codes, key=lambda code: (_plain(code) != code, code)):
        base = _plain(code)
        name, number = base, 2
        while name.casefold() in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name.casefold())
        names[code] = name
    return {code: names[code] for code in codes}


def _plain(code: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", code).strip(".-")
    if not name:
        name = "precinct"
    return f"precinct-{name}" if name.casefold().split(".")[0] in _DEVICES else name
