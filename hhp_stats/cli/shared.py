"""What all commands share: the application, the screen, and how progress is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from hhp_stats import __version__
from hhp_stats.errors import HhpError

if TYPE_CHECKING:
    from rich.progress import Progress


class Commands(TyperGroup):
    """All commands: wrong use is said in one sentence with status 2, and a process that is asked to end says so."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except HhpError as error:
            if error.exit_status == 1:
                raise
            screen.print(Text(str(error)), style="red", soft_wrap=True)
            raise typer.Exit(error.exit_status) from None
        except KeyboardInterrupt as error:
            screen.print("Interrupted; what was there before stands as it was.", style="red")
            raise typer.Exit(getattr(error, "status", 130)) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Statistical report of the Happier, Healthier Professionals trials: check returns, estimate, render.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hhp_stats {__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """What holds for all commands: what a killed one left half done is put right first."""
    from hhp_stats.files.project_root import find_root
    from hhp_stats.files.unfinished import put_right

    with suppress(HhpError, OSError):  # a command that needs the project says itself where it is not
        put_right(find_root())


screen = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)


Forced = Annotated[
    list[Path] | None,
    typer.Option(
        "--force", metavar="PATH", help="Overwrite this one although the command did not make it; may be repeated."
    ),
]


@contextmanager
def progress_bar(*, ticking: bool = True) -> Iterator[Progress]:
    """A live bar with elapsed and remaining time on a terminal, nothing elsewhere.

    Unless `ticking`, it moves only when it is told to (`update(..., refresh=True)`), and needs no thread.
    """
    # Not at the head: a command that finds nothing to do shows no bar.
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal, auto_refresh=ticking
    ) as bar:
        yield bar


def print_json(record: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(
        json.dumps(record, indent=2, ensure_ascii=False, default=str)
    )  # not through rich, which rewrites :words:


def plural(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
