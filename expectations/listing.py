"""Write the list of all rules into ``docs/quality.md``: ``python -m expectations.listing``."""

from pathlib import Path

from expectations.suite import Rule, list_suites, load_suite

PAGE = "docs/quality.md"
BEGIN = "<!-- rules: begin -->"
END = "<!-- rules: end -->"


def listing() -> str:
    """Every rule of every table as Markdown, between the marks."""
    parts = [BEGIN, ""]
    for table in list_suites():
        parts += [
            f"### {table}",
            "",
            "| rule | severity | looks at | queue | why |",
            "|---|---|---|---|---|",
        ]
        parts += [_row(rule) for rule in load_suite(table).rules]
        parts.append("")
    return "\n".join(parts) + f"{END}\n"


def _row(rule: Rule) -> str:
    looks = rule.evidence or "the table"
    if rule.only:
        values = [
            v
            for value in rule.only.values()
            for v in ([value] if isinstance(value, str) else value)
        ]
        looks += f" ({', '.join(values)})"
    limits = {k: v for k, v in rule.arguments.items() if k in ("min_value", "max_value", "mostly")}
    told = ", ".join(f"{k} {v}" for k, v in limits.items())
    name = f"`{rule.id}`" + (f"<br>{told}" if told else "")
    why = rule.why + (" No department can change it." if rule.locked else "")
    return f"| {name} | {rule.severity} | {looks} | {rule.queued} | {why} |"


def main() -> None:
    """Replace what stands between the marks."""
    page = Path(__file__).resolve().parent.parent / PAGE
    text = page.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN)], text[text.index(END) + len(END) + 1 :]
    page.write_text(before + listing() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
