"""May this correction be added? Checked against ledger, returns and rules before the ledger changes."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.across import Returns, across_problems
from hhp_stats.intake.corrections import (
    BAD_PLACE,
    LEDGER,
    Correction,
    Ledger,
    apply_ledger,
    check_schema,
    read_ledger,
    write_ledger,
)
from hhp_stats.intake.dictionary import WAVES, Field, Site, Study, load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.returns import RETURN_TYPES, Return, read_return
from hhp_stats.intake.rules_across import ACROSS_RULES
from hhp_stats.intake.rules_people import PEOPLE_RULES
from hhp_stats.intake.spellings import Spellings, load_spellings


def append_correction(
    root: Path,
    *,
    received_on: str,
    wave: str,
    authority: str,
    staff_id: str,
    field: str,
    old_value: str,
    new_value: str,
    reason: str,
    requested_by: str,
    study: str = "goal_setting",
    id: str | None = None,
) -> Correction:
    """May this correction be added, and under which id?

    The line is applied to the returns after all earlier lines, and all rules of returns are run before and after.
    It is added at the end of `data/corrections.csv` only if it fits (person, field and old value as they stand, new
    value readable) and breaks no rule that was kept before. Without `id` the next number is used.

    Refuses with `DataError`, leaving the ledger as it was.
    """
    root = Path(root)
    plan = load_study(root, study)
    fields = load_dictionary(root)
    spellings = load_spellings(root, fields)
    ledger = read_ledger(root, study=plan, studies=[path.stem for path in (root / "data/plan").glob("*.toml")])
    _raise(ledger.problems)
    lines = [line for _, line in ledger.lines]
    new = Correction(
        id=id or _next_id(lines), received_on=received_on, study=study, wave=wave, authority=authority,
        staff_id=staff_id, field=field, old_value=old_value, new_value=new_value, reason=reason,
        requested_by=requested_by,
    )  # fmt: skip
    site = plan.site(authority)
    if site is None:
        raise DataError([BAD_PLACE.problem(file=LEDGER, value="an authority that is not in the plan")])
    before = _problems(_read_site(root, site, plan, fields, spellings), lines, plan, spellings)
    after = _problems(_read_site(root, site, plan, fields, spellings), [*lines, new], plan, spellings)
    _raise([problem for problem in after if problem not in set(before)])
    write_ledger(root / LEDGER, [*lines, new])
    return new


def _raise(problems: list[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise DataError(errors)


def _next_id(lines: list[Correction]) -> str:
    numbers = [int(digits) for line in lines if (digits := line.id.removeprefix("C")).isdigit()]
    return f"C{max(numbers, default=0) + 1:03d}"


def _read_site(root: Path, site: Site, study: Study, fields: tuple[Field, ...], spellings: Spellings) -> list[Return]:
    paths = [
        (wave, f"data/returns/{study.name}/{site.slug}/{wave}{suffix}") for wave in WAVES for suffix in RETURN_TYPES
    ]
    return [
        read_return(root / file, file=file, wave=wave, study=study, fields=fields, spellings=spellings, site=site)
        for wave, file in paths
        if (root / file).is_file()
    ]


def _problems(returns: list[Return], lines: list[Correction], study: Study, spellings: Spellings) -> list[Problem]:
    """What is wrong with the ledger and with one authority's returns after it was applied?"""
    site = returns[0].site if returns else None
    authority = site.local_authority if site is not None else ""
    numbered = list(enumerate(lines, start=2))
    studies = frozenset(line.study for line in lines)
    ledger = Ledger(lines=numbered, problems=check_schema(numbered, study=study, studies=studies))
    ledger.lines = [(number, line) for number, line in numbered if line.authority == authority]
    by_site = {authority: {ret.wave: ret for ret in returns if ret.readable}}
    apply_ledger(ledger, by_site, study=study, spellings=spellings)
    for ret in returns:
        if ret.readable:
            check_return(ret)
    together = Returns(study=study, by_site=by_site)
    found = [problem for ret in returns for problem in ret.problems] + ledger.problems
    for rule in (*ACROSS_RULES, *PEOPLE_RULES):
        if rule.find is not None:
            found += across_problems(rule, rule.find(together))
    return found
