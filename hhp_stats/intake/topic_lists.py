"""Which plain lists does a study without arms read? By the topic that its plan names."""

from __future__ import annotations

from hhp_stats.intake.hiring import load_hiring
from hhp_stats.intake.pilots import load_dictation, load_flexitime

LISTS_OF = {"hiring": load_hiring, "dictation": load_dictation, "flexitime": load_flexitime}
