"""The texts that a new study begins with: a commented plan, a dictionary and a chapter, from what its table holds."""

from __future__ import annotations

import csv
import io
import re

from hhp_stats.plan.book_studies import TO_CONFIRM
from hhp_stats.plan.table_dictionary import listed
from hhp_stats.present.numbers import spelled
from hhp_stats.scaffold.column_kinds import Column, free_name, plain_name
from hhp_stats.scaffold.columns import TableGuess
from hhp_stats.scaffold.parts import Head, cell, head_lines, heading, lines_as_text, printed, quoted, table, table_lines

_CONTROL = re.compile(
    r"^(0|no|cont|ctrl|control\w*|usual.*|tau|placebo|none|waiting.*|standard.*|as before)$", re.IGNORECASE
)
LONGEST = 32  # letters of an arm's id, which stands in the names of its results
_HEADINGS = ("column", "meaning", "kind", "unit", "minimum", "maximum", "allowed", "missing")


def arm_ids(guess: TableGuess) -> list[tuple[str, str]]:
    """Id and value of every arm, the control first where its value says that it is one."""
    values = sorted(guess.column("arm").values, key=lambda value: (not _CONTROL.match(value), value))
    found: list[tuple[str, str]] = []
    for place, value in enumerate(values):
        own = plain_name(value)
        own = own if own and own[0].isalpha() else f"arm_{own or place}"
        if len(own) > LONGEST:
            own = own[:LONGEST].rpartition("_")[0] or own[:LONGEST]
        found.append((free_name(own, [known for known, _ in found]), value))
    return found


def dictionary_text(guess: TableGuess) -> str:
    """A line for every column of the table, with what it seems to hold; each meaning waits to be confirmed."""
    stream = io.StringIO(newline="")
    write = csv.writer(stream, lineterminator="\n")
    write.writerow(_HEADINGS)
    for column in guess.columns:
        if column.kind == "text":
            continue  # free text is not read
        limits = ["" if end is None else f"{end:.12g}" for end in (column.low, column.high)]
        allowed = listed(column.values if column.kind == "category" else column.zero_one)
        write.writerow(
            [column.name, f"{column.heading} {TO_CONFIRM}", column.kind, "", *limits, allowed, listed(column.missing)]
        )
    return stream.getvalue()


def plan_text(head: Head, guess: TableGuess) -> str:
    """The plan with what can be guessed filled in and the rest as comments that say what may stand there."""
    first, *others = guess.outcomes.items()
    covariates = [
        column.name
        for column in guess.columns
        if column.kind in ("number", "0/1", "category") and not _is_outcome(column, guess)
    ]
    arms = arm_ids(guess)
    everybody = sum(guess.arm_sizes[value] for _, value in arms) == guess.people  # else some arms are not known
    parts = [
        *head_lines(
            head,
            purpose="what will be estimated",
            seed=guess.people,
            design=_design_words(head, guess),
            participants=_participants(guess),
            outcomes=", ".join(guess.outcomes),
        ),
        "[design]",
        f"kind = {quoted(head.kind)}",
        f"randomised = {guess.people}                      # people on the table",
        *(
            [
                f"cluster = {quoted(guess.cluster)}                # the column of the groups that were drawn whole",
                f"clusters = {guess.clusters}",
            ]
            if guess.cluster
            else []
        ),
        '# strata = ["column"]                   # columns within whose values the arms were drawn',
        "",
        *table_lines(head, guess),
        "# ---------------------------------------------------------------- arms, the control first",
        *(
            line
            for own, value in arms
            for line in (
                "[[arms]]",
                f"id = {quoted(own)}",
                f"value = {quoted(value)}                    # as the table writes it",
                f"label = {quoted(f'{value} {TO_CONFIRM}')}",
                *(
                    [f"randomised = {guess.arm_sizes[value]}                     # people on the table"]
                    if everybody
                    else []
                ),
                "",
            )
        ),
        "# ---------------------------------------------------------------- outcomes: exactly one is primary",
        *_outcome(first[0], first[1], guess, primary=True),
        *(line for own, waves in others for line in _outcome(own, waves, guess, primary=False)),
        (
            "# ---------------------------------------------------------------- the planned model and what is computed"
            " beside it"
        ),
        "[model]",
        (
            f"terms = {_terms(first[1])}                        # `baseline` is the outcome's own; others:"
            f" {', '.join(covariates) or 'none'}"
        ),
        '# covariance = "HC2"                    # default; of clusters "CR2" with df = "satterthwaite"',
        '# beside = ["unadjusted", "hedges-g", "lee-bounds", "worst-case-bounds", "imputation", "randomisation"]',
        "",
        (
            "[[power]]                               # the effect that so many could have found; others: analysed ="
            " 280, printed = 0.33"
        ),
        'id = "achieved"',
        'label = "With those analysed"',
        "alpha = 0.05",
        "power = 0.8",
        "",
    ]
    return lines_as_text(parts)


def _design_words(head: Head, guess: TableGuess) -> str:
    unit = f"Groups ({guess.cluster.replace('_', ' ')}) randomised" if guess.cluster else "People randomised"
    return f"{unit}, {spelled(len(guess.column('arm').values))} arms"


def _participants(guess: TableGuess) -> str:
    return f"{guess.people:,} people" + (f" in {guess.clusters:,} groups" if guess.cluster else "")


def _is_outcome(column: Column, guess: TableGuess) -> bool:
    return any(column.name in waves.values() for waves in guess.outcomes.values())


def _terms(waves: object) -> str:
    return '["baseline"]' if isinstance(waves, dict) and "baseline" in waves else "[]"


def _outcome(own: str, waves: object, guess: TableGuess, *, primary: bool) -> list[str]:
    assert isinstance(waves, dict)
    columns = [guess.column(name) for name in waves.values()]
    binary = all(column.kind == "0/1" for column in columns)
    lines = ["[[outcomes]]", f"id = {quoted(own)}", f"label = {quoted(f'{own} {TO_CONFIRM}')}"]
    lines += ['role = "primary"'] if primary else []
    if binary and (words := columns[0].zero_one):
        lines.append(f'kind = "binary"  # one stands for {quoted(words[1])}, as in the dictionary {TO_CONFIRM}')
    elif binary:
        lines.append('kind = "binary"')
    lines += [f'better = "higher"  # or "lower" {TO_CONFIRM}', f"# unit = {quoted('points')}"]
    lines.append("# margin = ...  # of non-inferiority: the loss, in this unit, from which on an arm counts as worse")
    lines.append('# construct = "..."  # what it measures, in the words of other trials that measure it too')
    if "" in waves:
        lines.append(f"column = {quoted(waves[''])}")
    else:
        lines.append("waves = { " + ", ".join(f"{wave} = {quoted(name)}" for wave, name in waves.items()) + " }")
        lines.append('# primary_wave = "..."  # default: the last')
    return [*lines, ""]


def chapter_text(head: Head, guess: TableGuess) -> str:
    """The chapter with every standard part; its words are for the author, its numbers come from the results."""
    s = head.short

    def tabled(name: str, label: str, caption: str) -> str:
        return table(f'trial.table("{name}")', label=f"{s}-{label}", caption=caption)

    def say(name: str) -> str:
        return f'`{{python}} trial.say("{name}")`'

    parts = [
        heading(head),
        printed(f'release.notice("{head.study}")', before="from hhp_stats.present import release\n\n"),
        cell(
            f"from hhp_stats.present import field_trials, standard_parts\n\n"
            f'trial = field_trials.chapter("{head.study}")\nparts = standard_parts.parts("{head.study}")'
        ),
        f"## In brief {{#sec-{s}-summary}}\n",
        f"{say('sample')} {say('verdict')}\n",
        printed("trial.brief()"),
        printed(f'at_a_glance.box("{head.study}")', before="from hhp_stats.present import at_a_glance\n\n"),
        f"## Design {{#sec-{s}-design}}\n",
        f"`{{python}} parts.design()` {say('power')}\n",
        tabled("power", "power", "Detectable effects"),
        f"## Participants {{#sec-{s}-participants}}\n",
        f"{say('known')}\n",
        cell('trial.figure("flow")'),
        tabled("response", "response", "For how many the outcome is known, by arm"),
        *([tabled("clusters", "clusters", "Groups and people by arm")] if guess.cluster else []),
        f"## Balance {{#sec-{s}-balance}}\n",
        f"{say('balance')}\n",
        printed("trial.each_balance()"),
        f"## Outcomes {{#sec-{s}-outcomes}}\n",
        tabled("measures", "measures", "What was measured"),
        f"## Results {{#sec-{s}-results}}\n",
        f"{say('verdict')}\n",
        tabled("outcomes", "results", "The planned analysis of every outcome"),
        cell('trial.figure("effects")'),
        printed("trial.each_outcome()"),
        f"## All versions {{#sec-{s}-versions}}\n",
        tabled("all_versions", "versions", "Every version of every analysis"),
        f"## Missing data {{#sec-{s}-missing}}\n",
        f"{say('missing')}\n",
        tabled("missing", "missing", "For how many each outcome and baseline is known"),
        f"## Sensitivities {{#sec-{s}-sensitivities}}\n",
        printed("trial.each_bound()"),
        *([tabled("alike", "alike", "How alike people of one group are")] if guess.cluster else []),
        f"## Deviations {{#sec-{s}-deviations}}\n",
        "`{python} parts.deviations()`\n",
        f"## Limits {{#sec-{s}-limits}}\n",
        "`{python} parts.limits()`\n",
        f"## The data {{#sec-{s}-data}}\n",
        "`{python} parts.provenance()` `{python} parts.corrections()` @sec-reproducibility-inputs lists the"
        " checksums of"
        " all files, @sec-reproducibility-results every result with its identifier.\n",
        table("parts.dictionary()", label=f"{s}-dictionary", caption="What each column of the table holds"),
        "`{python} parts.disclosure()` `{python} parts.second_programme()`\n",
        f"## CONSORT items {{#sec-{s}-consort}}\n",
        "Reports of randomised trials are expected to answer the questions of the CONSORT statement [@hopewell2025]"
        + (", those of cluster trials its extension's as well [@campbell2012]" if guess.cluster else "")
        + ". What only those who ran the trial can say belongs in the table `[consort]` of its plan.\n",
        printed("parts.consort()"),
    ]
    return "\n".join(parts)
