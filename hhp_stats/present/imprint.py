"""Who answers for the report and which version it is: the words of `data/imprint.toml` in Markdown."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.imprint import NONE, Author, Funder, Imprint, Person, known, read_imprint
from hhp_stats.present.listing import listed_words
from hhp_stats.present.markdown import escaped


def about(*, root: Path | None = None) -> str:
    """The imprint as a list of terms; what is not decided yet is shown as it is marked in the file."""
    found = read_imprint(root or find_root())
    lines = [("Authors", "; ".join(_author(author) for author in found.authors))]
    lines += [("Version", f"{found.version}, {found.date.day} {found.date:%B %Y}"), ("Publisher", found.publisher)]
    licence = escaped(found.licence)
    identifiers = [f"{name} {own}" for name, own in (("DOI", found.doi), ("ISBN", found.isbn)) if own != NONE]
    lines += [("Identifiers", "; ".join(identifiers))] if identifiers else []
    text = [f"**{name}.** {escaped(words)}" for name, words in lines]
    text.append(f"**Licence.** [{licence}]({found.licence_url})" if found.licence_url else f"**Licence.** {licence}")
    if found.funders:
        text.append(f"**Funding.** {escaped(_funding(found))}")
    if found.people:
        text.append(f"**The trials.** {escaped(_people(found))}")
    text.append(f"**Interests.** {escaped(found.competing_interests)}")
    text.append(f"**Contact, and other formats** (large print, Braille, audio)**.** {escaped(found.contact)}")
    return "\n\n".join(text) + "\n"


def _author(author: Author) -> str:
    return f"{author.name} ({author.affiliation})" if known(author.affiliation) else author.name


def _funding(found: Imprint) -> str:
    return " ".join(_funder(funder) for funder in found.funders)


def _funder(funder: Funder) -> str:
    return f"The {funder.name} funded {funder.funded}{f' (grant {funder.grant})' if funder.grant else ''}."


def _by_affiliation(found: Imprint, *, authors: bool) -> dict[str, list[Person]]:
    """The authors of the trials' report, or those who worked with them, by where they belonged."""
    people: dict[str, list[Person]] = {}
    for person in found.people:
        if (person.part == "author") == authors:
            people.setdefault(person.affiliation, []).append(person)
    return people


def _people(found: Imprint) -> str:
    """Whom the published report of the trials names; nobody of them wrote a word of this one."""
    authors, others = (
        [
            f"{listed_words([person.name for person in people])} ({affiliation})"
            for affiliation, people in _by_affiliation(found, authors=authors).items()
        ]
        for authors in (True, False)
    )
    said = []
    if authors:
        said.append(f"The published report of the trials is by {listed_words(authors)}.")
    if others:
        said.append(f"It names as academic collaborators {listed_words(others)}.")
    return " ".join([*said, "They did not write this report."])
