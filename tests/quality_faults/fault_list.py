"""All faults; ``python -m tests.quality_faults.fault_list`` lists them in the documentation."""

import re
from pathlib import Path

from tests.quality_faults.fault import REFUSED, Fault
from tests.quality_faults.feed_faults import FEED_FAULTS
from tests.quality_faults.pattern_faults import PATTERN_FAULTS
from tests.quality_faults.record_faults import RECORD_FAULTS
from tests.quality_faults.table_faults import STAGED_FAULTS, TABLE_FAULTS

FAULTS = [*FEED_FAULTS, *RECORD_FAULTS, *PATTERN_FAULTS, *STAGED_FAULTS, *TABLE_FAULTS]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
BEGIN = "<!-- faults: begin -->"
END = "<!-- faults: end -->"


def listing() -> str:
    """The faults as a Markdown table, between the marks."""
    rows = [BEGIN, "", "| fault | check | severity | what the steward sees |", "|---|---|---|---|"]
    rows += [_row(fault) for fault in FAULTS]
    return "\n".join([*rows, "", END])


def _row(fault: Fault) -> str:
    check = f"`{fault.check}`" if fault.check else "while reading"
    severity = "critical: nothing is read" if fault.severity == REFUSED else fault.severity
    record = re.sub(r"\|", "\\|", fault.record)
    return f"| {fault.name} | {check} | {severity} | {record}: {fault.sees} |"


def main() -> None:
    """Replace what stands between the marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN)], text[text.index(END) + len(END) :]
    PAGE.write_text(before + listing() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
