"""The report's page about itself: what changed since the last release, as sentences and tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.present.markdown import escaped, pipe_table
from hhp_stats.present.numbers import MISSING, count
from hhp_stats.publish.changes import ChangeReport, compare, last_release
from hhp_stats.publish.changes_text import RESULT_HEADINGS, result_cells
from hhp_stats.publish.release import read_snapshot, snapshot_now

LONGEST = 200  # rows of one table of the page; `hhp changes --json` has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """What the page's cells ask for. Without an earlier release there is one sentence and no table."""

    report: ChangeReport | None

    def headline(self) -> str:
        """The first thing to know: how many numbers changed, and whether a conclusion flipped."""
        if self.report is None:
            return (
                "This is the first release: there is no earlier one to compare it with. The next will be compared as"
                " follows."
            )
        return self.report.headline().replace(" and now", " and this edition")

    def since(self) -> str:
        """From which release the page counts, and what changed in the inputs."""
        return "" if self.report is None else f"Compared with the release of {self.report.a}. {self.report.causes()}"

    def opening(self) -> str:
        """The page's first paragraph: the headline, and since when the page counts where there is a release to count
        from.
        """
        return " ".join(sentence for sentence in (self.headline(), self.since()) if sentence)

    def sections(self) -> str:
        """All lists that are not empty, as numbered tables in Markdown: for a cell with `output: asis`."""
        if self.report is None:
            return ""
        lists = {name: self.rows(name) for name in TITLES}
        return "\n".join(_list(name, rows) for name, rows in lists.items() if not rows.empty)

    def rows(self, name: str) -> pd.DataFrame:
        """The lines of one list as formatted text."""
        if name not in TITLES:
            raise UnknownName(f"no list {name!r}; known: {', '.join(TITLES)}")
        found = self.report
        if found is None:
            return pd.DataFrame()
        if name == "conclusions":
            return pd.DataFrame(
                [{"Result": f.result_id, "Kind": f.kind, "Was": f.was, "Is": f.now} for f in found.flips]
            )
        if name == "inputs":
            return pd.DataFrame(
                [
                    {"File": f["file"], "Change": f["change"], "Files": f["files"], "Extent": f["note"] or MISSING}
                    for f in found.public_files()
                ]
            )
        if name == "cells":
            return pd.DataFrame(
                [
                    {
                        "Raw files": c["what"],
                        "Field": c["field"],
                        "Cells": c["cells"],
                        "Explained by the ledger": c["explained"] or MISSING,
                    }
                    for c in found.public_inputs()
                ]
            )
        if name == "ledger":
            return pd.DataFrame(
                [
                    {
                        "Line": f"{e.id} ({e.change})",
                        "Received": e.received_on or MISSING,
                        "Field": e.field,
                        "Cells": count(e.cells),
                    }
                    for e in found.inputs.ledger
                ]
            )
        if name == "results":
            return pd.DataFrame([dict(zip(RESULT_HEADINGS, result_cells(r), strict=True)) for r in found.results])
        if name == "sentences":
            return pd.DataFrame([{"Was": s.old or MISSING, "Is": s.new or MISSING} for s in found.sentences])
        return pd.DataFrame(
            [
                {"Place": f"{p.places[0]}: {p.cell}", "Was": p.old or MISSING, "Is": p.new or MISSING}
                for p in found.figures
            ]
        )


TITLES = {
    "conclusions": "Conclusions that read otherwise",
    "inputs": "Input files",
    "cells": "Cells of raw files that differ",
    "ledger": "Lines of the corrections ledger",
    "results": "Results that moved",
    "sentences": "Sentences that read otherwise",
    "figures": "Published figures that differ",
}


def _list(name: str, rows: pd.DataFrame) -> str:
    """One list as a numbered table; columns share the width after their longest cells."""
    kept = rows.head(LONGEST)
    widths = [min(60, max(len(str(head)), *(len(str(cell)) for cell in kept[head]))) for head in kept]
    cells = [[escaped(str(cell)) for cell in row] for row in kept.itertuples(index=False)]
    left = len(rows) - len(kept)
    more = f" (the first {count(len(kept))} of {count(len(rows))})" if left else ""
    return pipe_table(
        [str(head) for head in kept], cells, label=f"tbl-h-{name}", caption=TITLES[name] + more, widths=widths
    )


def page(*, root: Path | None = None) -> ChangesPage:
    """Compare the results that are ready now with the last release, if there is one.

    Print is compared for what the chapters of that release asked for: the page then depends on results, code and the
    release, never on the words of other chapters, and what is kept of it stays right when they are edited.
    """
    home = root or find_root()
    earlier = last_release(home)
    if earlier is None:
        return ChangesPage(report=None)
    old = read_snapshot(home, earlier)
    return ChangesPage(report=compare(old, snapshot_now(home, asked=old.printed.asked)))
