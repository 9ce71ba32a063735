"""A survey export as the platform writes it: three header rows, then one row a response, in order of arrival."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from hhp_stats.intake.dictionary import Field
from hhp_stats.synthetic.calibration import stream

SYNTHETIC = "synthetic"
META = (
    ("StartDate", "Time at which the answer was begun"),
    ("EndDate", "Time at which the answer was ended"),
    ("Status", "Kind of response"),
    ("Progress", "Share of the questions passed, in per cent"),
    ("Duration (in seconds)", "Seconds from begin to end"),
    ("Finished", "Reached the last page"),
    ("RecordedDate", "Time at which the platform stored the answer"),
    ("ResponseId", "Identifier of the response"),
    ("RecipientLastName", "Last name on the mailing list"),
    ("RecipientFirstName", "First name on the mailing list"),
    ("RecipientEmail", "Address on the mailing list"),
    ("ExternalReference", "Survey code on the mailing list"),
    ("DistributionChannel", "Way of distribution"),
    ("UserLanguage", "Language of the questionnaire"),
)
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no letters or digits that are read for one another


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file in UTF-8 with Unix line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def tokens(count: int, seed: int, topic: str, length: int = 10) -> list[str]:
    """Different random tokens: survey codes, identifiers of responses."""
    rng = stream(seed, topic)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(LETTERS[i] for i in rng.integers(0, len(LETTERS), length))] = None
    return list(found)


def response_row(
    asked: Sequence[Field],
    *,
    identifier: str,
    begun: dt.datetime,
    seconds: int,
    progress: int,
    person: int,
    code: str,
    answers: Mapping[str, str],
    preview: bool = False,
) -> list[object]:
    """The cells of one response: the platform's own columns (`META`), the answers, the mark of a synthetic release.

    `person` is a number on the mailing list; a preview is a response of those who made the survey.
    """
    ended = begun + dt.timedelta(seconds=seconds)
    return [
        begun,
        ended,
        "Survey Preview" if preview else "IP Address",
        progress,
        seconds,
        str(progress == 100),
        ended + dt.timedelta(seconds=2),
        f"R_{identifier}",
        "Synthetic",
        f"Person {person:04d}",
        f"person-{person:04d}@example.invalid",
        code,
        "preview" if preview else "email",
        "EN-GB",
        *(answers.get(field.name, "") for field in asked),
        SYNTHETIC,
    ]


def platform_export(asked: Sequence[Field], rows: Iterable[list[object]], *, question: Callable[[Field], str]) -> bytes:
    """The file: names, `question` texts and import ids of the columns, then the rows in order of their begin."""
    names = [name for name, _ in META] + [field.name for field in asked] + ["Release"]
    texts = [text for _, text in META] + [question(field) for field in asked] + ["Release"]
    marks = [name[0].lower() + name[1:] for name, _ in META] + [f"QID{n + 1}" for n in range(len(asked))] + ["release"]
    imports = [json.dumps({"ImportId": mark}, separators=(",", ":")) for mark in marks]
    arrived = sorted(rows, key=lambda row: (str(row[0]), str(row[7])))
    return b"\xef\xbb\xbf" + csv_text(names, [texts, imports, *arrived])
