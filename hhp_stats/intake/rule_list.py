"""Which rules are there? All of them, for the data appendix and for looking one up by its code."""

from __future__ import annotations

import pandas as pd

from hhp_stats.intake.check import NOTHING_TO_CHECK
from hhp_stats.intake.draw_log import LOG_CELLS
from hhp_stats.intake.findings import NOT_THERE
from hhp_stats.intake.lists import FILE_OF_LIST_RULES
from hhp_stats.intake.manifest import MANIFEST_RULES
from hhp_stats.intake.participant_rules import PARTICIPANT_RULES
from hhp_stats.intake.pilots import AMONG, LINES, ONCE
from hhp_stats.intake.plain_lists import BLANK, CELLS, EMPTY
from hhp_stats.intake.pseudonym import KEY_OPEN
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_absence import ABSENCE_RULES
from hhp_stats.intake.rules_across import ACROSS_RULES
from hhp_stats.intake.rules_answers import ANSWER_RULES, COLUMN_RULES
from hhp_stats.intake.rules_arms import ARM_RULES
from hhp_stats.intake.rules_cells import CELL_RULES
from hhp_stats.intake.rules_conditions import NUMBERS, OTHER_SET, SHOWN_OTHERWISE, WHATEVER
from hhp_stats.intake.rules_definition import DEFINITION_RULES
from hhp_stats.intake.rules_distribution import DISTRIBUTION_RULES
from hhp_stats.intake.rules_file import FILE_RULES
from hhp_stats.intake.rules_ledger import LEDGER_RULES
from hhp_stats.intake.rules_linkage import LINK_RULES
from hhp_stats.intake.rules_lists import ALLOCATION_RULES, COMMON_RULES, COURSE_RULES, LINKAGE_RULES
from hhp_stats.intake.rules_people import PEOPLE_RULES
from hhp_stats.intake.rules_plan import PLAN_RULES
from hhp_stats.intake.rules_plausible import COURSE_SHARE_RULES, LINKED_RULES, PLAUSIBILITY_RULES
from hhp_stats.intake.rules_randomisation import CORRECTED, RANDOMISATION_RULES
from hhp_stats.intake.rules_survey import SURVEY_RULES
from hhp_stats.intake.rules_table import FILE_OF_TABLE_RULES, TABLE_RULES
from hhp_stats.intake.rules_table_figures import FIGURE_RULES
from hhp_stats.intake.rules_table_names import NAME_RULES
from hhp_stats.intake.rules_table_sizes import SIZE_RULES
from hhp_stats.intake.rules_table_waves import WAVE_RULES_OF_TABLES
from hhp_stats.intake.rules_wave import WAVE_RULES
from hhp_stats.intake.survey import SURVEY_FILE_RULES
from hhp_stats.intake.template import NO_EARLIER_RETURN

_GROUPS: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("a return as a file", (*FILE_RULES, NOTHING_TO_CHECK, NO_EARLIER_RETURN)),
    ("a cell of a return", CELL_RULES),
    ("one return", (*WAVE_RULES, *ABSENCE_RULES)),
    ("returns together", (*ACROSS_RULES, *PEOPLE_RULES, *PLAUSIBILITY_RULES, *DISTRIBUTION_RULES)),
    ("a list of the trial team", (*FILE_OF_LIST_RULES, *COMMON_RULES, *COLUMN_RULES)),
    ("the allocation list", (*ALLOCATION_RULES, *RANDOMISATION_RULES, CORRECTED, LOG_CELLS, NOT_THERE)),
    ("the course log", (*COURSE_RULES, *COURSE_SHARE_RULES)),
    ("the linkage list", (*LINKAGE_RULES, *LINKED_RULES)),
    ("a survey export", (*SURVEY_FILE_RULES, *DEFINITION_RULES, *SURVEY_RULES, *LINK_RULES, *ANSWER_RULES)),
    (
        "the table of a trial",
        (*FILE_OF_TABLE_RULES, *TABLE_RULES, *SIZE_RULES, *WAVE_RULES_OF_TABLES, *NAME_RULES, *FIGURE_RULES),
    ),
    ("the people of a trial by arm", (*PARTICIPANT_RULES, *ARM_RULES)),
    ("an experiment", (SHOWN_OTHERWISE, OTHER_SET, NUMBERS, WHATEVER)),
    ("a list of a pilot or an experiment", (CELLS, BLANK, EMPTY, LINES, ONCE, AMONG)),
    ("the key of pseudonyms", (KEY_OPEN,)),
    ("the corrections ledger", LEDGER_RULES),
    ("the manifest", MANIFEST_RULES),
    ("a plan", PLAN_RULES),
)


def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of their scopes and codes."""
    return tuple(rule for _, rules in _GROUPS for rule in sorted(rules, key=lambda rule: rule.code))


def rule_frame() -> pd.DataFrame:
    """Every rule as a frame: code, scope, severity, rule, remedy."""
    rows = [
        (rule.code, scope, rule.severity, rule.rule, rule.remedy)
        for scope, rules in _GROUPS
        for rule in sorted(rules, key=lambda rule: rule.code)
    ]
    return pd.DataFrame(rows, columns=["code", "scope", "severity", "rule", "remedy"]).astype("str")
