"""The lists of the two pilots by their columns: participants, app sessions and survey answers; interviewees."""

from __future__ import annotations

from hhp_stats.intake.list_spec import ListSpec, list_column

FREQUENCIES = ("never", "less than once a week", "once a week", "several times a week", "most days")
CONTINUES = ("yes", "not sure", "no")
EXPERIENCES = ("over one year", "up to one year", "none")
DICTATION_ROLES = ("social worker", "newly qualified social worker", "senior practitioner", "team manager")
FLEXITIME_ROLES = ("social worker", "senior practitioner", "team manager", "service lead")

DICTATION = (
    ListSpec(
        name="participants",
        file="data/allocation/dictation.csv",
        fields=(
            list_column("participant", "identifier"),
            list_column("local_authority", "category", allowed=("Brent", "Coventry")),
            list_column("role", "category", allowed=DICTATION_ROLES),
        ),
    ),
    ListSpec(
        name="sessions",
        file="data/usage/dictation.csv",
        fields=(
            list_column("participant", "identifier"),
            list_column("day", "integer", low=1, high=28),
            list_column("minutes", "integer", low=0, high=600),
        ),
    ),
    ListSpec(
        name="survey",
        file="data/surveys/dictation/endline.csv",
        fields=(
            list_column("participant", "identifier"),
            list_column("frequency", "category", allowed=FREQUENCIES, required=False),
            list_column("would_continue", "category", allowed=CONTINUES, required=False),
        ),
    ),
)
FLEXITIME = (
    ListSpec(
        name="interviewees",
        file="data/allocation/flexitime.csv",
        fields=(
            list_column("interviewee", "identifier"),
            list_column("role", "category", allowed=FLEXITIME_ROLES),
            list_column("experience", "category", allowed=EXPERIENCES),
        ),
    ),
)
