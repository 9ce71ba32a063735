"""Rules about the ledger of corrections: its lines, and whether they fit the files they correct."""

from __future__ import annotations

from hhp_stats.intake.rule import Rule

BAD_LEDGER = Rule(
    code="E01",
    severity="error",
    rule=(
        "data/corrections.csv must be a CSV file with the columns id, received_on, study, wave, authority, staff_id, "
        "field, old_value, new_value, reason, requested_by, and as many fields in every line."
    ),
    remedy="Restore the heading line and complete the line.",
)
BAD_ID = Rule(
    code="E02",
    severity="error",
    rule="Every correction must have an id of its own.",
    remedy="Give the line a new id; never reuse one.",
)
BAD_DAY = Rule(
    code="E03",
    severity="error",
    rule="received_on must be a date such as 2020-05-31.",
    remedy="Write the date as year-month-day.",
)
BAD_PLACE = Rule(
    code="E04",
    severity="error",
    rule=(
        "A correction must name a study, and a wave and an authority of its plan; of a trial whose data are one table,"
        " neither wave nor authority."
    ),
    remedy="Correct the line; wave is baseline, interim or endline.",
)
BAD_FIELD = Rule(
    code="E05",
    severity="error",
    rule="A correction must name a field of that file by its name in the dictionary.",
    remedy="Correct the name of the field; only columns of the table that were returned can be corrected.",
)
NO_REASON = Rule(
    code="E06",
    severity="error",
    rule="A correction must say why and at whose request.",
    remedy="Fill in reason and requested_by (an office, not a person's name).",
)
NO_RETURN = Rule(
    code="E07",
    severity="error",
    rule="A correction must belong to a return, or a table, that was received and could be read.",
    remedy="Check wave and authority, or wait for the return.",
)
UNKNOWN_STAFF = Rule(
    code="E08",
    severity="error",
    rule="A correction must name a person of that return or table, listed there once.",
    remedy="Check the identifier, and of a return authority and wave.",
)
OTHER_OLD = Rule(
    code="E09",
    severity="error",
    rule="The old value of a correction must be what is in the file (after earlier corrections of the cell).",
    remedy=(
        "If the authority sent a corrected workbook meanwhile, the correction may be out of date: remove the line, "
        "or give the value found as the old value."
    ),
)
BAD_NEW = Rule(
    code="E10",
    severity="error",
    rule="The new value of a correction must be readable as a value of its field.",
    remedy="Write the number, ISO date or option as the dictionary says; leave it empty for “no value”.",
)
NO_CHANGE = Rule(
    code="E11",
    severity="error",
    rule="A correction must change the value.",
    remedy="Remove the line or correct its new value.",
)
OUT_OF_ORDER = Rule(
    code="E12",
    severity="warning",
    rule="The ledger is added to at its end: received_on should not go back in time.",
    remedy="Check the date.",
)

ADDRESS = Rule(
    code="E13",
    severity="error",
    rule=(
        "A correction must not hold an email address in its reason or in who requested it: the ledger names no person."
    ),
    remedy="Name the office and not the person.",
)
BAD_STEP = Rule(
    code="E14",
    severity="error",
    rule=(
        "The lines of one step (C003.1/2, C003.2/2) must all be there, one below the other, for one person and return."
    ),
    remedy="Restore the lines of the step, or take all of them out.",
)
UNENDED = Rule(
    code="E15",
    severity="warning",
    rule="The last line of the ledger must be whole and end with a line break: half a line is no correction.",
    remedy="Complete the last line, or take it out, and end it with a line break (the key Enter).",
)
UNFIT_CHARACTER = Rule(
    code="E16",
    severity="error",
    rule=(
        "A reason and who requested it may be written in any script, without control characters and signs that turn the"
        " direction of the text around them."
    ),
    remedy="Type the text again without them; they are often pasted in unseen.",
)

LEDGER_RULES = (
    BAD_LEDGER,
    BAD_ID,
    BAD_DAY,
    BAD_PLACE,
    BAD_FIELD,
    NO_REASON,
    NO_RETURN,
    UNKNOWN_STAFF,
    OTHER_OLD,
    BAD_NEW,
    NO_CHANGE,
    OUT_OF_ORDER,
    ADDRESS,
    BAD_STEP,
    UNENDED,
    UNFIT_CHARACTER,
)
