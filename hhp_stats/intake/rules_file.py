"""Rules about a return as a whole: its container, its block of authority and date, its columns."""

from __future__ import annotations

from hhp_stats.intake.rule import Rule

UNREADABLE_FILE = Rule(
    code="F01",
    severity="error",
    rule="A return must be a whole, readable workbook of moderate size without macros or passwords.",
    remedy="Open it, save it as “Excel workbook (.xlsx)” and send it again.",
)
NO_HEADINGS = Rule(
    code="F02",
    severity="error",
    rule="The headings of the table must be in one row (or two) among the first 40 rows of the sheet “Return”.",
    remedy="Paste the data into the empty workbook that `hhp template` writes; keep its headings.",
)
UNKNOWN_AUTHORITY = Rule(
    code="F03",
    severity="error",
    fields=("local_authority",),
    rule="“Local Authority:” above the table must name an authority of the plan.",
    remedy="Enter the name of the authority in the cell next to that label.",
)
WRONG_AUTHORITY = Rule(
    code="F04",
    severity="error",
    fields=("local_authority",),
    rule="A return must lie in the folder of the authority that it names.",
    remedy="Move the file to the right folder, or correct the name above the table.",
)
NO_DATE = Rule(
    code="F05",
    severity="error",
    fields=("date_retrieved",),
    rule="“Date data retrieved:” above the table must be followed by a date.",
    remedy="Enter the day on which the records were drawn, as a date, in the cell next to that label.",
)
DOUBLED_HEADING = Rule(
    code="F06",
    severity="error",
    rule="Each heading must stand over one column only.",
    remedy="Delete the column that is not meant, or its heading.",
)
REQUIRED_COLUMN = Rule(
    code="F07",
    severity="error",
    rule="Every required column must be there under its heading.",
    remedy="Add the column with the heading of the template.",
)
USEFUL_COLUMN = Rule(
    code="F08",
    severity="warning",
    rule="A column of the template that is left out counts as not recorded by the authority.",
    remedy="Check with the authority that it does not record this; otherwise add the column.",
)
UNKNOWN_COLUMN = Rule(
    code="F09",
    severity="warning",
    rule="A column under an unknown heading is not read.",
    remedy="Check whether the heading is a misspelt one of the template; otherwise delete the column.",
)
PERSONAL_COLUMN = Rule(
    code="F10",
    severity="error",
    rule="A return must not hold names, email addresses or other details that identify a person.",
    remedy="Delete the column and send the workbook again; the copy received must be destroyed.",
)
PERIOD_HEADING = Rule(
    code="F11",
    severity="error",
    rule="The period of a column must be clear: 12 months before the trial at baseline, since launch afterwards.",
    remedy="Use the heading of the template for this return, and check that the figures cover that period.",
)
NO_PEOPLE = Rule(
    code="F12",
    severity="error",
    rule="A return must list at least one person below the headings.",
    remedy="Send the filled-in workbook.",
)
OTHER_SHEETS = Rule(
    code="F13",
    severity="note",
    rule="Only one sheet of a workbook is read.",
    remedy="Check that the other sheets hold nothing that belongs to the table of people.",
)
HIDDEN_CELLS = Rule(
    code="F14",
    severity="warning",
    rule="Hidden rows, columns and sheets are read like visible ones.",
    remedy="Check that nothing was hidden in order to leave it out.",
)
MERGED_CELLS = Rule(
    code="F15",
    severity="warning",
    rule="Cells within the table should not be merged: only the first of them holds the value.",
    remedy="Split the merged cells and fill in each.",
)
EXTERNAL_LINKS = Rule(
    code="F16",
    severity="note",
    rule="Links to other workbooks are not followed; the values stored at the last saving are used.",
    remedy="Replace the links by values if they may be out of date.",
)
MISSING_RETURN = Rule(
    code="F17",
    severity="error",
    rule="Every authority of the plan must have its baseline return: its teams were drawn from it.",
    remedy="Ask the authority for it, or put back the file from which the teams were drawn.",
)
MISSING_FOLLOW_UP = Rule(
    code="F30",
    severity="warning",
    rule="Every authority of the plan should have its interim and its endline return.",
    remedy="Ask the authority for it. Until it comes, outcomes of its people are not known; they stay in the trial.",
)
TWO_RETURNS = Rule(
    code="F18",
    severity="error",
    rule="There must be one file per authority and return.",
    remedy="Keep the one that counts and remove the other.",
)
STRAY_FILE = Rule(
    code="F19",
    severity="warning",
    rule="A file under data/returns/ that is neither a baseline, interim nor endline return of a site is not read.",
    remedy="Rename it to baseline.xlsx, interim.xlsx or endline.xlsx in the authority's folder, or remove it.",
)
NOT_MARKED_SYNTHETIC = Rule(
    code="F20",
    severity="error",
    rule="While data/manifest.toml says “synthetic”, every return and list must be marked as synthetic.",
    remedy='For real returns set status = "real" there and keep a pseudonym key outside the project.',
)
MARKED_SYNTHETIC = Rule(
    code="F21",
    severity="error",
    rule="While data/manifest.toml says “real”, no return or list may be marked as synthetic.",
    remedy='Remove the synthetic file, or set status = "synthetic".',
)
TWO_TABLES = Rule(
    code="F29",
    severity="error",
    rule="A workbook must hold one table of people: two sheets that are shown have its headings.",
    remedy="Keep the sheet that counts and delete the other; if each holds some of the people, put them on one sheet.",
)
OTHER_UNIT = Rule(
    code="F24",
    severity="error",
    rule="The heading of a column must not say anything else than the template: no other unit, period or selection.",
    remedy="Give the figures that the template asks for, under its heading.",
)
HEADING_REMARK = Rule(
    code="F25",
    severity="warning",
    rule="A remark in a heading that the template does not have may change what the column means.",
    remedy="Check with the authority what the remark means; use the heading of the template.",
)
COMMENTS = Rule(
    code="F26",
    severity="warning",
    rule="Comments on cells are not read: they may say that a figure must not be used.",
    remedy="Read them in the workbook; correct the cell with `hhp correct` where the comment says so.",
)
REMARKS = Rule(
    code="F31",
    severity="warning",
    rule="Remarks next to or below the table are not read: they may say that a figure must not be used.",
    remedy="Read them in the file; correct the cell with `hhp correct` where a remark says so.",
)
HIDDEN_TABLE = Rule(
    code="F27",
    severity="warning",
    rule="A hidden sheet holds a table of people too; the one that is shown is read.",
    remedy="Check which of them counts, and delete the other.",
)
ROW_OF_TOTALS = Rule(
    code="F28",
    severity="note",
    rule="Rows of totals are left out.",
    remedy="Nothing to do.",
)

FILE_RULES: tuple[Rule, ...] = (
    UNREADABLE_FILE,
    NO_HEADINGS,
    UNKNOWN_AUTHORITY,
    WRONG_AUTHORITY,
    NO_DATE,
    DOUBLED_HEADING,
    REQUIRED_COLUMN,
    USEFUL_COLUMN,
    UNKNOWN_COLUMN,
    PERSONAL_COLUMN,
    PERIOD_HEADING,
    NO_PEOPLE,
    OTHER_SHEETS,
    HIDDEN_CELLS,
    MERGED_CELLS,
    EXTERNAL_LINKS,
    MISSING_RETURN,
    MISSING_FOLLOW_UP,
    TWO_RETURNS,
    STRAY_FILE,
    NOT_MARKED_SYNTHETIC,
    MARKED_SYNTHETIC,
    TWO_TABLES,
    OTHER_UNIT,
    HEADING_REMARK,
    COMMENTS,
    REMARKS,
    HIDDEN_TABLE,
    ROW_OF_TOTALS,
)
