"""The flexitime pilot: who was interviewed."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present.numbers import count, spelled, withheld_note
from hhp_stats.present.pilots.report import PilotReport
from hhp_stats.present.tables import plain_table


def experience(report: PilotReport) -> GT:
    """Interviewees by how long they have used the policy."""
    table = report.table("experience")
    rows = pd.DataFrame(
        {"Use of the policy": table["experience"].str.capitalize(), "People": [count(n) for n in table["people"]]}
    )
    return plain_table(rows, stub="Use of the policy", notes=withheld_note(table))


def interviewees(report: PilotReport) -> str:
    """Who was interviewed about flexitime."""
    return (
        f"{count(report.count('sample/interviewees'))} people were interviewed."
        f" {spelled(report.count('sample/team_managers')).capitalize()} manage a team and"
        f" {spelled(report.count('sample/service_leads'))} leads the service; the other"
        f" {spelled(report.count('sample/social_workers'))} are social workers,"
        f" {spelled(report.count('sample/senior_practitioners'))} of them in a senior post."
        f" {spelled(report.count('sample/long_term_users')).capitalize()} had used the policy for more than a year,"
        f" {spelled(report.count('sample/recent_users'))} for less, and {spelled(report.count('sample/non_users'))} did"
        " not use it."
    )
