"""Tables of the reporting standards beside CONSORT: TIDieR for offers, COREQ for talks, CHEERS for costs."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import catalogue, study_entry, study_names
from hhp_stats.plan.reporting import load_cheers, load_coreq, load_interventions
from hhp_stats.present.consort import DOCUMENT, Checklist
from hhp_stats.present.markdown import escaped, pipe_table
from hhp_stats.present.numbers import count, spelled

NOT_SAID = "Not in the documents"
# Names of the items of TIDieR, in their order.
TIDIER = (
    "Name",
    "Why",
    "What: materials",
    "What: procedures",
    "Who provided it",
    "How",
    "Where",
    "When and how much",
    "Tailoring",
    "Changes on the way",
    "Delivery: how it was to be checked",
    "Delivery: what is known",
)


def interventions(*, root: Path | None = None) -> str:
    """What each study offered: a section and a table of the twelve items of TIDieR, as Markdown; and who has none.

    Refuses as `load_interventions`.
    """
    home = root or find_root()
    entries = {entry.study: entry for entry in catalogue(home)}
    found = load_interventions(home)
    parts = []
    for offer in found:
        entry, slug = entries[offer.study], offer.study.replace("_", "-")
        rows = [
            [f"{number}", name, escaped(words)]
            for number, (name, words) in enumerate(zip(TIDIER, offer.items, strict=True), start=1)
        ]
        parts += [
            f"### {escaped(entry.name)} {{#sec-consort-offer-{slug}}}\n",
            pipe_table(
                ["Item", "TIDieR", "In the documents"],
                rows,
                label=f"tbl-consort-offer-{slug}",
                caption=f"What was offered in the {entry.noun} (TIDieR)",
                widths=[7, 25, 68],
            ),
        ]
    without = [entry.name for study, entry in entries.items() if study not in {offer.study for offer in found}]
    if without:
        parts.append(f"Without a description yet: {escaped(', '.join(without))}.\n")
    return "\n".join(parts)


def talks(*, root: Path | None = None) -> str:
    """Interviews and focus groups by the items of COREQ, with a count before it; Markdown. Refuses as `load_coreq`."""
    home = root or find_root()
    found, names = load_coreq(home), study_names(home)
    rows, answered = [], 0
    for ask in found.asks:
        answers = found.of(ask.id)
        answered += bool(answers)
        said = " ".join(f"*{escaped(names[answer.study])}:* {escaped(answer.words)}." for answer in answers)
        rows.append([ask.id, escaped(ask.part), escaped(ask.asks), said or NOT_SAID])
    table = pipe_table(
        ["Item", "Part", "What it asks for", "What the documents say"],
        rows,
        label="tbl-consort-talks",
        caption="Interviews and focus groups (COREQ)",
        widths=[6, 14, 28, 52],
    )
    return (
        f"Of {count(len(found.asks))} items, {count(answered)} are answered for one study or more; the documents are"
        f" silent on {spelled(len(found.asks) - answered)}.\n\n{table}"
    )


def costs(*, root: Path | None = None) -> str:
    """The evaluation of costs by the items of CHEERS, with a count before it; Markdown. Refuses as `load_cheers`."""
    home = root or find_root()
    study, items = load_cheers(home)
    shown = Checklist(study=study, items=items, sections=book_sections(home), results=frozenset(), document=DOCUMENT)
    caption = f"Benefits and costs in the {study_entry(home, study).noun} (CHEERS)"
    return f"{shown.count()}\n\n{shown.whole(label='tbl-consort-costs', caption=caption)}"
