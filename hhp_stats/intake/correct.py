"""May this correction be added? Checked against ledger, returns and rules before the ledger changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hhp_stats.errors import DataError, Problem, refuse_errors
from hhp_stats.intake.across import Returns, across_problems
from hhp_stats.intake.corrections import apply_ledger, value_now
from hhp_stats.intake.dictionary import WAVES, Field, Site, Study, load_dictionary, load_study, study_with_returns
from hhp_stats.intake.free_text import free_text
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.ledger import LEDGER, Correction, Ledger, check_schema, read_ledger
from hhp_stats.intake.ledger_file import append_lines, ledger_alone
from hhp_stats.intake.manifest import HALF_REPLACED, UNFINISHED, verify_manifest
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.returns import RETURN_TYPES, read_return
from hhp_stats.intake.rules_across import ACROSS_RULES
from hhp_stats.intake.rules_ledger import BAD_PLACE, UNENDED
from hhp_stats.intake.rules_people import PEOPLE_RULES
from hhp_stats.intake.spellings import Spellings, load_spellings, tidy


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of a person: its new value, and the old one, which is looked up in the return where it is None."""

    field: str
    new_value: str
    old_value: str | None = None


def append_corrections(
    root: Path,
    *,
    received_on: str,
    wave: str,
    authority: str,
    staff_id: str,
    changes: Sequence[Change],
    reason: str,
    requested_by: str,
    study: str | None = None,
    id: str | None = None,
    dry_run: bool = False,
) -> tuple[Correction, ...]:
    """May these fields of one person be corrected in one step, and under which ids?

    The lines are applied to the returns after all earlier lines, and all rules of returns are run before and after.
    They are added at the end of `data/corrections.csv` together, only if all of them fit (person, fields and old values
    as they stand, new values readable) and no rule is broken that was kept before; with `dry_run` nothing is added.
    Without `id` the next number is used; several lines of one step are C003.1/2, C003.2/2. Others who add lines at the
    same moment wait. A return that is not the one whose checksum is recorded is not corrected: `hhp accept` comes
    first.

    Refuses with `DataError`, leaving the ledger as it was; ValueError for no change, or one field twice.
    """
    root = Path(root)
    study = study or study_with_returns(root)
    with ledger_alone(root):
        if (root / UNFINISHED).exists():
            raise DataError([HALF_REPLACED.problem(file=MANIFEST)])
        plan = load_study(root, study)
        fields = load_dictionary(root)
        spellings = load_spellings(root, fields)
        ledger = read_ledger(root, study=plan, studies=[path.stem for path in (root / "data/plan").glob("*.toml")])
        refuse_errors(
            [replace(each, severity="error") if each.code == UNENDED.code else each for each in ledger.problems]
        )
        lines = [line for _, line in ledger.lines]
        site = plan.site(authority)
        if site is None:
            raise DataError([BAD_PLACE.problem(file=LEDGER, value="an authority that is not in the plan")])
        refuse_errors(verify_manifest(root, below=f"data/returns/{study}/{site.slug}/"))
        returns = _read_site(root, site, plan, fields, spellings)
        before = _problems(returns, lines, plan, spellings)
        concerned = next((ret for ret in returns if ret.wave == wave and ret.readable), None)
        new = in_step(
            changes,
            first=Correction(
                id=id or next_id(lines),
                received_on=received_on,
                study=study,
                wave=wave,
                authority=authority,
                staff_id=staff_id,
                field="",
                old_value="",
                new_value="",
                reason=reason,
                requested_by=requested_by,
            ),
            last="staff_id",
            value_now=lambda field: (
                None if concerned is None else value_now(concerned, staff_id=tidy(staff_id), field=field)
            ),
        )
        after = _problems(_read_site(root, site, plan, fields, spellings), [*lines, *new], plan, spellings)
        refuse_errors([problem for problem in after if problem not in set(before)])
        if not dry_run:
            append_lines(root / LEDGER, new)
    return tuple(new)


def in_step(
    changes: Sequence[Change], *, first: Correction, last: str, value_now: Callable[[str], str | None]
) -> list[Correction]:
    """The lines of one step: `first` with each of the changes, the old values looked up where none is given.

    The field `last`, by which a person is found, comes last. ValueError for no change, or one field twice.
    """
    names = [tidy(change.field) for change in changes]
    if not names or len(set(names)) < len(names):
        raise ValueError("a step changes one field or more, each of them once")
    found = []
    for place, change in enumerate(sorted(changes, key=lambda each: tidy(each.field) == last), start=1):
        field = tidy(change.field)
        old = value_now(field) if change.old_value is None else change.old_value
        found.append(
            replace(
                first,
                id=first.id if len(changes) == 1 else f"{first.id}.{place}/{len(changes)}",
                received_on=tidy(first.received_on),
                staff_id=tidy(first.staff_id),
                field=field,
                old_value=tidy(old or ""),
                new_value=tidy(change.new_value),
                reason=free_text(first.reason),
                requested_by=free_text(first.requested_by),
            )
        )
    return found


def next_id(lines: Sequence[Correction]) -> str:
    """The next number of the ledger."""
    numbers = [int(digits) for line in lines if (digits := line.id.removeprefix("C").split(".")[0]).isdecimal()]
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
