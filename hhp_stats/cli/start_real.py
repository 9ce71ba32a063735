"""The command that takes a study from synthetic to real data, and says at any time what is still missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hhp_stats.cli.shared import app, out, print_json
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root

if TYPE_CHECKING:
    from hhp_stats.scaffold.start_real import Started

LONGEST = 100  # signs of an assumed value on the terminal; --json has all of it
LISTED = 12  # files of one step; --json has them all


@app.command(
    "start-real",
    epilog=(
        "Examples: `hhp start-real goal_setting` · `hhp start-real goal_setting --confirm sites.Kent.launch --source"
        " 'launch log' --on 2026-11-30` · `hhp start-real goal_setting --undo`"
    ),
)
def start_real(
    study: Annotated[str, typer.Argument(help="Key of the study's plan.")],
    confirm: Annotated[
        list[str] | None,
        typer.Option(metavar="PLACE", help="An assumed entry that is right as the plan has it; may be repeated."),
    ] = None,
    source: Annotated[str, typer.Option(help="What it is known from: a record, an office; no person's name.")] = "",
    on: Annotated[str, typer.Option(help="When it was confirmed, YYYY-MM-DD.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Bring the synthetic files back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Real data of a study are to come: its synthetic files go, and what is missing is listed in the order of the work.

    May be called again at any time: it then says what is still missing. Other studies stay as they are. Nothing is
    deleted: synthetic files are moved to data/.synthetic/STUDY.
    """
    from hhp_stats.plan import assumed
    from hhp_stats.scaffold.start_real import KEPT
    from hhp_stats.scaffold.start_real import start_real as start
    from hhp_stats.scaffold.start_real import undo as undo_start

    root = find_root()
    try:
        if undo:
            if confirm:
                raise typer.BadParameter("--undo confirms nothing: leave --confirm out.")
            back = undo_start(root, study)
            out.print(f"{study} is synthetic again: {_files(len(back))} came back from {KEPT}/{study}.")
            return
        if confirm:
            day = _day(on)
            if not source.strip():
                raise typer.BadParameter("say with --source what the entry is known from.")
            assumed.confirm(root, study, confirm, source=source.strip(), on=day)
        elif source or on:
            raise typer.BadParameter("--source and --on say how an entry is known: name it with --confirm.")
        found = start(root, study)
    except UnknownName as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print_json(asdict(found))
    else:
        _print(root, found)


def _files(number: int) -> str:
    return "1 synthetic file" if number == 1 else f"{number} synthetic files"


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("say with --on YYYY-MM-DD when it was confirmed.") from None


def _print(root: Path, found: Started) -> None:
    from hhp_stats.intake.pseudonym import KEY_VARIABLE
    from hhp_stats.plan.assumed import CONFIRMED
    from hhp_stats.plan.imprint import IMPRINT
    from hhp_stats.scaffold.start_real import KEPT

    study = found.study
    if found.moved:
        out.print(
            f"{study} is real from now on: {_files(len(found.moved))} moved to {KEPT}/{study}"
            f" (`hhp start-real {study} --undo` brings them back).",
            markup=False,
        )
    else:
        out.print(f"{study} is real.")
    if found.others:
        out.print(f"Still synthetic: {', '.join(found.others)}.")
    out.print("")
    number = 1
    if found.key:
        out.print(f"{number}. Key of the pseudonyms: {found.key}", markup=False)
        out.print(f"   `hhp key ~/hhp.key`, once for all studies, then `export {KEY_VARIABLE}=~/hhp.key`", markup=False)
    else:
        out.print(f"{number}. Key of the pseudonyms: in use.")
    number += 1
    plan = f"data/plan/{study}.toml"
    if found.assumed:
        what = "1 assumed entry is" if len(found.assumed) == 1 else f"{len(found.assumed)} assumed entries are"
        out.print(f"{number}. {plan}: {what} not confirmed:", markup=False)
        for each in found.assumed:
            value = each.value if len(each.value) <= LONGEST else f"{each.value[:LONGEST]} ..."
            out.print(f"     {each.place}: {value}" + (f" ({each.why})" if each.why else ""), markup=False)
        out.print(
            f"   Correct each in {plan}, then `hhp start-real {study} --confirm PLACE --source WHENCE --on DATE`"
            f" ({CONFIRMED}).",
            markup=False,
        )
    else:
        out.print(f"{number}. {plan}: no assumed entry is open.", markup=False)
    for step in found.steps:
        number += 1
        whole = sum(state == "recorded" for state in step.files.values())
        out.print(f"{number}. {step.title[0].upper()}{step.title[1:]}: {whole} of {len(step.files)} recorded.")
        open_files = [(file, state) for file, state in step.files.items() if state != "recorded"]
        for file, state in open_files[:LISTED]:
            out.print(f"     {state}: {file}", markup=False)
        if len(open_files) > LISTED:
            out.print(f"     and {len(open_files) - LISTED} more; --json lists all")
        if step.missing:
            out.print(f"   {step.remedy}", markup=False)
    number += 1
    if found.imprint:
        out.print(f"{number}. {IMPRINT}: not decided: {', '.join(found.imprint)}.", markup=False)
    else:
        out.print(f"{number}. {IMPRINT}: nothing is open.", markup=False)
    out.print(
        f"{number + 1}. Then `hhp accept` records the files, `hhp check {study}` says what is wrong in them,"
        f" `hhp results` estimates, `hhp render` makes the report.",
        markup=False,
    )
