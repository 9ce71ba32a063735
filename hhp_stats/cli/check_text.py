"""What `hhp check` says on a terminal: first what blocks and whose it is, then what is wrong, rule by rule."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from rich.text import Text

from hhp_stats.errors import Problem
from hhp_stats.intake.check import TRIAL_TEAM, CheckReport
from hhp_stats.present.numbers import count, plural
from hhp_stats.terminal_table import TerminalTable

LINES = 10  # within which a reader learns what blocks
CELLS = 4  # places of one rule in one file that are named without --all
STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
UNKNOWN = "Unknown authority"  # of a return that does not say whose it is


def owner_of(report: CheckReport, problem: Problem) -> str:
    """Who has to mend it: the authority; of files that are the trial team's, and of returns of nobody known, the
    file.
    """
    owner = report.authority_of(problem.file)
    return problem.file.removeprefix("data/") or owner if owner in (TRIAL_TEAM, UNKNOWN) else owner


def summary(report: CheckReport, *, width: int) -> list[str]:
    """At most ten lines, none longer than `width` where words allow it: whether anything blocks (in full), and for each
    authority or file what does, worst first.
    """
    counts, what = report.counts(), _what(report)
    rest = " and ".join(plural(counts[level], level) for level in ("warning", "note") if counts[level])
    errors = [problem for problem in report.problems if problem.severity == "error"]
    if not errors:
        asked = " Warnings ask for a look." if counts["warning"] else ""
        return [f"Nothing blocks the analysis in {what}{f': {rest}' if rest else ''}.{asked}"]
    by_owner, pairs = Counter[str](), Counter[tuple[str, str]]()
    for problem in errors:
        by_owner[owner_of(report, problem)] += problem.cells
        pairs[owner_of(report, problem), problem.code] += problem.cells
    head = f"{plural(counts['error'], 'error')} in {what} {'blocks' if counts['error'] == 1 else 'block'} the analysis"
    lead = textwrap.wrap(f"{head}{f'; {rest} beside' if rest else ''}.", max(width, 20))
    most_lines = LINES - 1 - len(lead)
    lines = []
    if len(pairs) <= most_lines:
        words = {problem.code: problem.rule for problem in errors}
        lines += [f"{owner}: [{code}] {_times(n)}{words[code]}" for (owner, code), n in _ordered(pairs, by_owner)]
    else:
        room = most_lines if len(by_owner) <= most_lines else most_lines - 1
        for owner, n in by_owner.most_common(room):
            rules = Counter({code: k for (whose, code), k in pairs.items() if whose == owner})
            most = ", ".join(f"{code} ({count(k)})" for code, k in rules.most_common())
            lines.append(f"{owner}: {plural(n, 'error')} by {plural(len(rules), 'rule')}: {most}")
        left = by_owner.most_common()[room:]
        if left:
            total = plural(sum(n for _, n in left), "error")
            lines.append(f"{plural(len(left), 'other', 'others')}: {total}, listed below")
    return [*lead, *(textwrap.shorten(line, max(width, 20), placeholder=" …") for line in lines)]


def _what(report: CheckReport) -> str:
    if len(report.inputs):
        return plural(len(report.inputs), "return")
    if not report.study:
        return "the raw files of all studies"
    return f"the files of {report.study.replace('_', ' ')}"


def _times(number: int) -> str:
    return "" if number == 1 else f"{count(number)} times: "


def _ordered(pairs: Counter[tuple[str, str]], owners: Counter[str]) -> list[tuple[tuple[str, str], int]]:
    """Owners with most errors first, within each the most frequent rule."""
    return sorted(pairs.items(), key=lambda item: (-owners[item[0][0]], item[0][0], -item[1]))


def details(report: CheckReport, *, every: bool) -> Iterator[TerminalTable | Text]:
    """A table for each authority and the trial team: a line for each rule with where it is broken; with `every`, one
    for each place.
    """
    yield from _clean(report)
    by_owner: dict[str, list[Problem]] = {owner: [] for owner in [*report.inputs["authority"], TRIAL_TEAM]}
    for problem in report.problems:
        by_owner[report.authority_of(problem.file)].append(problem)
    for owner, problems in by_owner.items():
        if problems:
            yield Text()
            rows = [_place(problem) for problem in problems] if every else _by_rule(problems)
            styles = [STYLES[severity] for severity, _ in rows]
            yield TerminalTable(
                title=owner,
                headings=("where", "what", "remedy"),
                rows=[cells for _, cells in rows],
                styles=styles,
            )


def _clean(report: CheckReport) -> Iterator[Text]:
    bad = {report.authority_of(problem.file) for problem in report.problems}
    clean = [owner for owner in dict.fromkeys(report.inputs["authority"]) if owner not in bad]
    if clean:
        files = int(report.inputs["authority"].isin(clean).sum())
        yield Text(f"Nothing to mend in {plural(files, 'return')} of {', '.join(clean)}.")


Line = tuple[str, tuple[str, str, str]]  # severity; where, what, remedy


def _place(problem: Problem) -> Line:
    where = ", ".join(part for part in (problem.file, problem.cell) if part)
    found = f" Found {problem.value}." if problem.value else ""
    return problem.severity, (where, f"[{problem.code}] {problem.rule}{found}", problem.remedy)


def _by_rule(problems: Sequence[Problem]) -> list[Line]:
    """A line for each rule of a file: its first places and what was found there."""
    groups: dict[tuple[str, str, str, str], list[Problem]] = {}
    for problem in problems:
        key = (problem.severity, problem.code, problem.file, problem.rule)
        groups.setdefault(key, []).append(problem)
    lines = []
    for (severity, code, file, rule), found in groups.items():
        if len(found) == 1:
            lines.append(_place(found[0]))
            continue
        places = [problem.cell for problem in found[:CELLS] if problem.cell]
        times = sum(problem.cells for problem in found)
        more = [f"and {count(times - CELLS)} more (--all)"] if times > CELLS else []
        where = f"{PurePosixPath(file).as_posix()}: {'; '.join([*places, *more])}"
        values = list(dict.fromkeys(problem.value for problem in found if problem.value))[:2]
        said = f" Found {', '.join(values)}{' and others' if len(found) > len(values) else ''}." if values else ""
        lines.append((severity, (where, f"[{code}] {count(times)} times: {rule}{said}", found[0].remedy)))
    return lines
