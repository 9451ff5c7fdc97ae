"""A proposed ``department.yaml`` as people read it: every guess with its evidence beside it.

What a person must decide stands above its line, marked ``# DECIDE:``; taking the mark away says
that it has been decided.
"""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MARK = "# DECIDE: "
_HANGING = "#         "
WIDTH = 99

Key = tuple[str | int, ...]


@dataclass
class Remarks:
    """What is said about settings, by their keys' path, such as ``("feed", "crs")``."""

    evidence: dict[Key, str] = field(default_factory=dict)
    decisions: dict[Key, list[str]] = field(default_factory=dict)

    def because(self, key: Key, evidence: str) -> None:
        """Say why a setting was guessed as it is."""
        self.evidence[key] = evidence

    def decide(self, key: Key, question: str) -> None:
        """Leave a setting to a person."""
        self.decisions.setdefault(key, []).append(question)


def settings_text(settings: Mapping[str, Any], remarks: Remarks, head: str) -> str:
    """Write settings as commented YAML.

    Parameters
    ----------
    settings
        Nested mappings, lists of mappings, and plain values or lists of them; loading the text
        gives them back.
    remarks
        The evidence, beside the line where it fits, else above it, and the decisions.
    head
        Comment lines at the top, without their number signs.
    """
    lines = [f"# {line}" for line in head.splitlines()]
    lines += _block(settings, (), remarks)
    return "\n".join(lines) + "\n"


def decisions_in(text: str) -> list[tuple[int, str]]:
    """The decisions that a text still leaves open: the line of each, and its question."""
    found: list[tuple[int, str]] = []
    open_mark = False
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if MARK.strip() in bare:
            found.append((number, bare.split(MARK.strip(), 1)[1].strip()))
            open_mark = True
        elif open_mark and bare.startswith(_HANGING):
            place, said = found[-1]
            found[-1] = (place, f"{said} {bare[1:].strip()}")
        else:
            open_mark = False
    return found


def _block(settings: Mapping[Any, Any], path: Key, remarks: Remarks) -> list[str]:
    lines: list[str] = []
    indent = "  " * sum(1 for part in path if isinstance(part, str)) + "  " * sum(
        1 for part in path if isinstance(part, int)
    )
    for key, value in settings.items():
        here: Key = (*path, key)
        if not path and isinstance(value, Mapping):
            lines.append("")
        for question in remarks.decisions.get(here, []):
            lines += _comment(question, indent, MARK, _HANGING)
        said = remarks.evidence.get(here)
        name = _plain(key)
        if isinstance(value, Mapping) and value and _nests(value):
            lines += _with_evidence(f"{indent}{name}:", said, indent)
            lines += _block(value, here, remarks)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines += _with_evidence(f"{indent}{name}:", said, indent)
            for place, entry in enumerate(value):
                inner = _block(entry, (*here, place), remarks)
                first = next(i for i, line in enumerate(inner) if not line.strip().startswith("#"))
                start = len(indent) + 2
                inner[first] = inner[first][:start] + "- " + inner[first][start + 2 :]
                lines += inner
        else:
            lines += _with_evidence(f"{indent}{name}: {_plain(value)}", said, indent)
    return lines


def _nests(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping is settings, and not a list of spellings that fits on one line."""
    flat = all(not isinstance(inner, (Mapping, list)) for inner in value.values())
    return not (flat and all(str(key) == str(key).upper() for key in value))


def _with_evidence(line: str, said: str | None, indent: str) -> list[str]:
    if said is None:
        return [line]
    beside = f"{line:<30}  # {said}"
    if len(beside) <= WIDTH:
        return [beside]
    return [*_comment(said, indent, "# ", "# "), line]


def _comment(said: str, indent: str, first: str, later: str) -> Iterator[str] | list[str]:
    return textwrap.wrap(
        said, WIDTH, initial_indent=indent + first, subsequent_indent=indent + later,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _plain(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()
