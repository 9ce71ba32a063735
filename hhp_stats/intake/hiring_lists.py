"""The lists of the hiring experiments by their columns: participants, decisions, scores."""

from __future__ import annotations

from hhp_stats.intake.list_spec import ListSpec, list_column

STUDY = "hiring"
NAMES = ("minority ethnic", "white british")
SHOWN = ("blinded", "minority", "white_british")
SCORES = ("caseload", "team", "supervision")
APPLICATIONS = tuple("ABCDEFGHIJ")

SPECS = (
    ListSpec(
        name="participants",
        file=f"data/allocation/{STUDY}.csv",
        fields=(
            list_column("participant", "identifier"),
            list_column(
                "role", "category", allowed=("social worker", "senior social worker", "team manager", "senior leader")
            ),
            list_column("first_experiment", "category", allowed=("progression", "evaluation_score")),
            list_column("evaluation", "category", allowed=("joint", "separate")),
            list_column("name_set", "integer", low=1, high=2),
            list_column("name_shown", "category", allowed=SHOWN),
        ),
    ),
    ListSpec(
        name="decisions",
        file=f"data/decisions/{STUDY}.csv",
        fields=(
            list_column("participant", "identifier"),
            list_column("position", "integer", low=1, high=10),
            list_column("pair", "integer", low=1, high=5),
            list_column("application", "category", allowed=APPLICATIONS),
            list_column("name", "category", allowed=NAMES),
            list_column("progressed", "integer", low=0, high=1, required=False),
        ),
    ),
    ListSpec(
        name="scores",
        file=f"data/decisions/{STUDY}_scores.csv",
        fields=(
            list_column("participant", "identifier"),
            list_column("name_shown", "category", allowed=SHOWN),
            *(list_column(name, "integer", low=1, high=7, unit="points") for name in SCORES),
        ),
    ),
)
