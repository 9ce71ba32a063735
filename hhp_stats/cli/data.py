"""Commands for the data: check what authorities returned, send it back, correct it, write templates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from hhp_stats.cli.shared import Forced, app, out, print_json, progress_bar, screen
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.project_root import find_root

if TYPE_CHECKING:
    from hhp_stats.intake.check import CheckReport
    from hhp_stats.intake.correct import Change

WIDTH_OF_FILES = 150  # of a table that goes into a file or another program


@app.command(epilog="Examples: `hhp check` · `hhp check returns/kent --write-back to-kent` · `hhp check --json`")
def check(
    path: Annotated[
        Path | None,
        typer.Argument(help="A workbook, a folder of workbooks, the key of a study, or nothing: the whole project."),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Key of a study's plan; default: returns, and the files of every study.")
    ] = None,
    write_back: Annotated[
        Path | None, typer.Option(help="Write each authority's workbook with marked cells there.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every cell, not the first of each rule and file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    force: Forced = None,
) -> None:
    """Check the raw files: what is wrong, in which cell, and what to do. Status 1 if anything blocks the analysis.

    The first ten lines say what blocks, by authority or file and rule; then each rule that is broken, with its remedy.
    What stands beside the plans (facts of the studies, checklists, glossary) is read as the report would; of the whole
    project the chapters that the plans name are checked too.
    """
    from hhp_stats.intake.check import check_returns
    from hhp_stats.intake.write_back import write_back as write_copies
    from hhp_stats.plan.book_studies import BOOK, check_book
    from hhp_stats.plan.every_file import check_plan_files

    root = find_root()
    if path is not None and not path.exists() and study is None and len(path.parts) == 1 and not path.suffix:
        path, study = None, str(path)
    if study is not None:
        _known_study(root, study)
    path, study, below = _what_is_checked(root, path, study)
    whole = path is None and study is None
    guard = OutputGuard(root=root, command="hhp check --write-back", force=tuple(force or ()))
    if write_back is not None:
        guard.into(write_back)
    with progress_bar() as bar:
        task = bar.add_task("Reading", total=None)
        report = check_returns(
            root if path is None or below else path,
            root=root,
            study=study,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    report = report.below(below) if below else report
    if as_json:
        print_json(report.to_json())
    else:
        _print_check(report, every=every)
    if write_back is not None:
        copies = write_copies(report, write_back, guard=guard)
        for copy in copies:
            screen.print(f"wrote {copy}", markup=False)
        if not copies:
            screen.print("No file has a problem: nothing was written back.")
    if (root / BOOK).is_file():  # what is wrong with the files has been said
        if whole:
            check_book(root)
        if path is None:
            check_plan_files(root)
    if not report.ok:
        raise typer.Exit(1)


def _what_is_checked(root: Path, path: Path | None, study: str | None) -> tuple[Path | None, str | None, str]:
    """Workbooks from anywhere, or, of a path that holds raw files of the project which are no returns, their study and
    the path from the project. Wrong use is said with status 2.
    """
    from hhp_stats.intake.check import may_be_return
    from hhp_stats.intake.dictionary import returns_planned
    from hhp_stats.intake.raw_files import studies, study_of

    if path is None:
        return None, study, ""
    if not path.exists():
        raise typer.BadParameter(
            f"{path} does not exist: give a workbook, a folder of workbooks, or the key of a study."
        )
    within = path.resolve()
    if within in (root.resolve(), root.resolve() / "data"):
        return None, study, ""
    name = within.relative_to(root.resolve()).as_posix() if within.is_relative_to(root.resolve()) else ""
    if name.startswith("data/") and not name.startswith("data/returns"):
        own = study_of(name, studies(root))
        if not own:
            raise typer.BadParameter(f"{name} belongs to no study: give a file or folder of one, or the study's key.")
        if study not in (None, own):
            raise typer.BadParameter(f"{name} belongs to the study {own}, not to {study}.")
        return path, own, name
    if study is not None and not returns_planned(root, study):
        raise typer.BadParameter(f"{study} has no returns: `hhp check {study}` checks its files.")
    if path.is_dir() and not any(may_be_return(each) for each in path.rglob("*")):
        raise typer.BadParameter(f"{path} holds no workbook and no table: give a folder with returns.")
    return path, study, ""


def _known_study(root: Path, study: str) -> None:
    from hhp_stats.intake.raw_files import studies
    from hhp_stats.plan.catalogue import catalogue
    from hhp_stats.plan.nearest import allowed

    plans = studies(root)
    if study not in plans:
        if (root / f"data/plan/{study}.toml").is_file():
            catalogue(root)  # says what is wrong with a plan that has no head, or that of another study
        with_returns = [name for name in plans if (root / "data/returns" / name).is_dir()]
        having = f"; with returns: {', '.join(with_returns)}" if with_returns else ""
        raise typer.BadParameter(
            f"there is no plan of this study, and no file of this name{having}. {allowed(plans, study)}"
        )


def _print_check(report: CheckReport, *, every: bool) -> None:
    """First what blocks, in at most ten lines, then every rule that is broken."""
    from hhp_stats.cli.check_text import details, summary

    # A narrow or a wide window; a file, or another program, has none.
    console = Console(highlight=False, width=None if out.is_terminal else WIDTH_OF_FILES)
    for at, line in enumerate(summary(report, width=console.width)):
        console.print(Text(line, style="" if at else "bold"))
    for part in details(report, every=every):
        console.print(part)


@app.command(epilog="Example: `hhp template goal_setting Kent --wave endline --to out`")
def template(
    study: Annotated[str, typer.Argument(help="Key of the study's plan.")],
    authority: Annotated[str, typer.Argument(help="Authority as in the plan; of a trial on one table none.")] = "",
    wave: Annotated[str, typer.Option(help="baseline, interim or endline; default: baseline.")] = "",
    to: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
    force: Forced = None,
) -> None:
    """Write an empty return workbook with drop-downs, units and notes; later waves with the people known so far.

    Of a trial whose data are one table: the table.
    """
    from hhp_stats.intake.dictionary import WAVES, load_study
    from hhp_stats.intake.template import template as made
    from hhp_stats.intake.template import template_path

    root = find_root()
    _known_study(root, study)
    if _one_table(root, study, authority=authority, wave=wave):
        _write_table(root, study, to, force)
        return
    wave, plan = wave or WAVES[0], load_study(root, study)
    site = plan.site(authority) or plan.by_slug(authority)
    if site is None:
        raise typer.BadParameter(f"the plan has no such authority; it has: {', '.join(plan.authorities)}.")
    if wave not in WAVES:
        raise typer.BadParameter(f"a wave is one of: {', '.join(WAVES)}.")
    guard = OutputGuard(root=root, command="hhp template", force=tuple(force or ()))
    guard.into(to)
    target = template_path(to, authority=site.local_authority, wave=wave)
    guard.file(target)
    workbook = made(study=study, authority=site.local_authority, wave=wave, root=root)
    with guard.written(target) as partial:
        workbook.save(partial)
    out.print(f"wrote {target}", markup=False)


def _one_table(root: Path, study: str, *, authority: str, wave: str) -> bool:
    """Whether the data of a study are one table; then neither wave nor authority goes with it, as wrong use says."""
    from hhp_stats.plan.catalogue import study_entry

    if not study_entry(root, study).on_table:
        return False
    if authority or wave:
        raise typer.BadParameter(f"{study} has one table, neither wave nor authority: leave them out.")
    return True


def _write_table(root: Path, study: str, to: Path, force: list[Path] | None) -> None:
    from hhp_stats.intake.table_template import table_template

    guard = OutputGuard(root=root, command="hhp template", force=tuple(force or ()))
    guard.into(to)
    target = to / f"{study}.xlsx"
    guard.file(target)
    book = table_template(root, study)
    with guard.written(target) as partial:
        book.save(partial)
    out.print(f"wrote {target}", markup=False)


_WHO = "--wave endline --authority Kent --staff-id KEN-0001"
_WHY = "--reason 'left in November' --requested-by 'Kent HR' --received-on 2020-04-20"


@app.command(
    epilog=(
        f"Examples: `hhp correct {_WHO} --set left=yes --set leaving_date=2019-11-04 {_WHY}` · "
        f"`hhp correct {_WHO} --field illness_days --old 3 --new 5 {_WHY}`"
    )
)
def correct(
    staff_id: Annotated[
        str, typer.Option("--staff-id", "--person", help="Whose record it is; in a table without identifiers `row 14`.")
    ],
    reason: Annotated[str, typer.Option(help="Why, in any script; it is published.")],
    requested_by: Annotated[str, typer.Option(help="Who asked for it: an office, not a person's name.")],
    received_on: Annotated[str, typer.Option(help="When, YYYY-MM-DD.")],
    wave: Annotated[str, typer.Option(help="baseline, interim or endline; of a trial on one table none.")] = "",
    authority: Annotated[str, typer.Option(help="Authority as in the plan; of a trial on one table none.")] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=NEW",
            help=(
                "A field as in data/dictionary.csv and what it should say (nothing: no value); the old value is looked"
                " up. "
                "Several are checked and recorded together."
            ),
        ),
    ] = None,
    field: Annotated[str | None, typer.Option(help="One field, with its old and new value.")] = None,
    old: Annotated[str | None, typer.Option(help="What the return says now.")] = None,
    new: Annotated[str | None, typer.Option(help="What it should say.")] = None,
    study: Annotated[str | None, typer.Option(help="Key of the study's plan; default: the study with returns.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; the ledger stays as it is.")] = False,
) -> None:
    """Add a correction of one person to the ledger, after checking that it fits and breaks no rule.

    Fields that only make sense together (left and leaving_date, days and spells) go in one step: several --set.
    """
    from hhp_stats.intake.correct import append_corrections
    from hhp_stats.intake.correct_table import append_table_corrections

    root = find_root()
    if study is not None:
        _known_study(root, study)
    asked = _changes(changes or [], field, old, new)
    _is_day(received_on)
    if study is not None and _one_table(root, study, authority=authority, wave=wave):
        lines = append_table_corrections(
            root,
            study=study,
            person=staff_id,
            changes=asked,
            received_on=received_on,
            reason=reason,
            requested_by=requested_by,
            dry_run=dry_run,
        )
    else:
        if not wave or not authority:
            raise typer.BadParameter("a correction of a return needs --wave and --authority.")
        _of_a_return(root, study, wave=wave, authority=authority, names=[change.field for change in asked])
        lines = append_corrections(
            root,
            received_on=received_on,
            wave=wave,
            authority=authority,
            staff_id=staff_id,
            changes=asked,
            reason=reason,
            requested_by=requested_by,
            study=study,
            dry_run=dry_run,
        )
    for line in lines:
        out.print(f"{line.field}: {line.old_value or 'no value'} → {line.new_value or 'no value'}", markup=False)
    if dry_run:
        out.print("It fits and breaks no rule; nothing was added (--dry-run).")
    else:
        out.print(f"added as {' and '.join(line.id for line in lines)}; `hhp render` applies it", markup=False)


def _is_day(text: str) -> None:
    """Wrong use: another date than 2020-05-31."""
    try:
        dt.date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"--received-on {text!r}: write the day as 2020-05-31.") from None


def _of_a_return(root: Path, study: str | None, *, wave: str, authority: str, names: list[str]) -> None:
    """Wrong use: a wave, an authority or a field that the returns of the study do not have."""
    from hhp_stats.intake.dictionary import WAVES, fields_of, load_dictionary, load_study, study_with_returns
    from hhp_stats.intake.spellings import tidy
    from hhp_stats.plan.nearest import allowed

    if tidy(wave) not in WAVES:
        raise typer.BadParameter(f"--wave {wave!r}. {allowed(WAVES, wave)}")
    known = load_study(root, study or study_with_returns(root)).authorities
    if tidy(authority) not in known:
        raise typer.BadParameter(f"--authority {authority!r}. {allowed(known, authority)}")
    fields = [each.name for each in fields_of(load_dictionary(root), "return", tidy(wave))]
    for name in names:
        if tidy(name) not in fields:
            raise typer.BadParameter(f"the {tidy(wave)} return has no field {name!r}. {allowed(fields, name)}")


def _changes(several: list[str], field: str | None, old: str | None, new: str | None) -> list[Change]:
    """What is to change: either `--field`, `--old` and `--new`, or one `--set` or more; anything else is wrong use."""
    from hhp_stats.intake.correct import Change

    one = (field, old, new)
    if bool(several) == any(value is not None for value in one):
        raise typer.BadParameter("give either --set FIELD=NEW, once or several times, or --field with --old and --new.")
    if field is not None and old is not None and new is not None:
        return [Change(field=field, old_value=old, new_value=new)]
    if not several:
        raise typer.BadParameter("--field needs --old and --new; with --set FIELD=NEW the old value is looked up.")
    found = [text.partition("=") for text in several]
    bad = [text for text, (name, sign, _) in zip(several, found, strict=True) if not name.strip() or not sign]
    if bad:
        raise typer.BadParameter(f"--set {bad[0]!r}: write FIELD=NEW, for example --set left=yes.")
    names = [name.strip() for name, _, _ in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise typer.BadParameter(f"--set names {twice[0]!r} twice: one step changes a field once.")
    return [Change(field=name, new_value=value) for name, (_, _, value) in zip(names, found, strict=True)]


@app.command(epilog="Example: `hhp key ~/hhp.key`, then `export HHP_PSEUDONYM_KEY_FILE=~/hhp.key`")
def key(
    path: Annotated[Path, typer.Argument(help="File to write, outside the project; never over another one.")],
) -> None:
    """Make the secret key of the pseudonyms: 32 random bytes, readable by you alone. Needed once, for real data."""
    from hhp_stats.intake.key import write_key
    from hhp_stats.intake.pseudonym import KEY_VARIABLE

    path = path.expanduser()
    if path.resolve().is_relative_to(find_root().resolve()):
        raise typer.BadParameter("the key must lie outside the project, so that it is never shared with it.")
    try:
        write_key(path)
    except FileExistsError:
        raise typer.BadParameter(
            f"{path} exists: a key is never overwritten, since old pseudonyms would be lost."
        ) from None
    out.print(f"wrote {path}; set {KEY_VARIABLE} to it, keep it safe and use the same always", markup=False)
