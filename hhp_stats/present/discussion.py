"""Chapter 11: the studies side by side, as far as their results exist when the report is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.present.bars import bars_in_words, labelled_bars
from hhp_stats.present.discussion_sentences import (
    compared,
    conclusion,
    excluded,
    fewer,
    largest,
    overview,
    shared,
)
from hhp_stats.present.discussion_tables import effects_table, pairs, samples
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import forest
from hhp_stats.present.listing import capital
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import count, interval, level, number, percent, spelled, withheld
from hhp_stats.present.origins import INVENTED_SIGN
from hhp_stats.present.standardised_effects import StandardisedEffects, clear_effects, gathered
from hhp_stats.present.style import INK, QUIET
from hhp_stats.studies.output import open_output

DOCUMENT = "report/11-discussion.qmd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion(StandardisedEffects):
    """The effects of all trials as the chapter shows them: tables, sentences and figures by name."""

    def table(self, name: str) -> GT:
        """A table by name."""
        if name not in TABLES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(TABLES))}")
        return shown(TABLES[name], self)

    def say(self, name: str) -> str:
        """A sentence by name."""
        if name not in SENTENCES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(SENTENCES))}")
        return shown(SENTENCES[name], self)

    def figure(self) -> EmbeddedFigure:
        """All effects in standard deviations."""
        rows = self.effects
        labels = [
            f"{self.names[row['study']]}: {self.inside(row['study'], row['label'])}" for row in rows.to_dict("records")
        ]
        made_up = rows["study"].isin(self.invented)
        levels = " and ".join(level(found) for found in dict.fromkeys(rows["conf_level"]))
        words = "; ".join(
            f"{label} {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
            for label, row in zip(labels, rows.to_dict("records"), strict=True)
        )
        clear = int(clear_effects(self.counted).sum())
        tally = f"{spelled(clear) if clear else 'none'} of {count(len(self.counted))} intervals exclude zero"
        return embed(
            lambda width: forest(
                rows,
                labels=labels,
                unit="standard deviations",
                favours=("worse", "better"),
                muted=rows.loc[made_up, "result_id"].tolist(),
                title="Effect of the offer in standard deviations; to the right is better",
                width=width,
            ),
            root=self.root,
            document=DOCUMENT,
            label="effects-all-studies",
            conclusion=capital(tally),
            alt=(f"Effects with {levels} intervals in standard deviations; above zero is better. {words}."),
            caption=(f"Effects of all trials in standard deviations; right is better: {tally}")
            + (
                f"; grey with open marks and {INVENTED_SIGN}: invented effects, which are not counted"
                if made_up.any()
                else ""
            ),
        )

    def funnel(self) -> EmbeddedFigure:
        """Of those randomised in each trial, how many are analysed for the primary outcome."""
        found: dict[str, tuple[int, int]] = {}
        for study in dict.fromkeys(self.effects["study"]):
            steps = open_output(self.root, study).tables["flow"]
            steps = steps[steps["kind"] == "stage"]
            sent, known = (steps.loc[steps["stage"] == stage, "people"] for stage in ("randomised", "analysed"))
            if not withheld(*sent, *known):
                found[study] = (int(sent.iloc[0]), sum(map(int, known)))
        shares = {study: known / sent for study, (sent, known) in found.items()}
        labels = [self.names[study] for study in found]
        words = [
            f"{percent(shares[study], 0)}: {count(known)} of {count(sent)}" for study, (sent, known) in found.items()
        ]
        low, high = (percent(end, 0) for end in (min(shares.values()), max(shares.values())))
        conclusion = f"Between {low} and {high} of those randomised are analysed for the main outcome"
        return embed(
            lambda width: labelled_bars(
                labels,
                [100 * n for n in shares.values()],
                words=words,
                unit="% of those randomised",
                colours=[QUIET if study in self.invented else INK for study in found],
                most=100,
                width=width,
            ),
            root=self.root,
            document=DOCUMENT,
            label="funnel-all-studies",
            conclusion=conclusion,
            alt=f"Bars of the share analysed, by trial. {bars_in_words(labels, words)}.",
            caption=f"From randomisation to analysis: {conclusion[0].lower()}{conclusion[1:]}"
            + (f". {INVENTED_SIGN}: a trial whose effects are invented" if self.invented & found.keys() else ""),
        )


TABLES: Mapping[str, Callable[[StandardisedEffects], GT]] = {
    "effects": effects_table,
    "samples": samples,
    "pairs": pairs,
}
SENTENCES: Mapping[str, Callable[[StandardisedEffects], str]] = {
    "overview": overview,
    "largest": largest,
    "shared": shared,
    "compared": compared,
    "excluded": excluded,
    "fewer": fewer,
    "conclusion": conclusion,
}


def chapter(*, root: Path | None = None) -> Discussion:
    """Gather the standardised effects of every study below `.report/results/`; refuses if there is none (HhpError)."""
    return gathered(root or find_root(), Discussion)
