"""How the report is cited: a line for a list of references, and an entry in BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from hhp_stats.plan.imprint import known
from hhp_stats.publish.pandoc import words_of
from hhp_stats.publish.project import Project


def citation(project: Project, words: Mapping[str, str]) -> str:
    """The section of the first page: a line to copy, what the data are, and BibTeX."""
    note = f" {escape(project.banner)}" if project.banner else ""
    return (
        f'<section class="cite-report" aria-labelledby="cite-report"><h2 id="cite-report">'
        f"{escape(words['cite'])}</h2><p>{_line(project, words)}{note}</p>"
        f'<details><summary>BibTeX</summary><pre class="bibtex"><code>{escape(bibtex(project))}</code></pre></details>'
        "</section>"
    )


def _line(project: Project, words: Mapping[str, str]) -> str:
    title = f"{project.title}. {project.subtitle}" if project.subtitle else project.title
    whom = f"{escape(', '.join(project.authors))} ({project.date.year}). " if project.authors else ""
    rest = [*version_words(project, words), long_date(project)]
    if project.imprint is not None:
        rest += [known(project.imprint.publisher), _doi(project)]
    return f"{whom}<cite>{escape(title)}</cite>. {escape('. '.join(part for part in rest if part))}."


def bibtex(project: Project) -> str:
    """The entry; what the imprint leaves open has no field, and the notice of the data is its note."""
    key = re.sub(r"[^a-z0-9]+", "-", project.title.lower()).strip("-")[:40].rstrip("-")
    fields = {"title": f"{{{project.title}}}"} | ({"subtitle": f"{{{project.subtitle}}}"} if project.subtitle else {})
    if project.authors:
        fields["author"] = " and ".join(_bibtex_authors(project))
    fields |= {"date": project.date.isoformat(), "type": "Report"}
    if project.imprint is not None:
        fields |= {
            "institution": known(project.imprint.publisher),
            "version": known(project.imprint.version),
            "doi": known(project.imprint.doi),
            "isbn": known(project.imprint.isbn),
        }
    fields["note"] = project.banner
    given = {name: value for name, value in fields.items() if value}
    return "\n".join([f"@report{{{key}-{project.date.year},", *(f"  {k} = {{{v}}}," for k, v in given.items()), "}"])


def _bibtex_authors(project: Project) -> list[str]:
    """Names as BibTeX reads them: an organisation in braces is no first and last name."""
    whole = {author.name for author in project.imprint.authors if author.organisation} if project.imprint else set()
    return [f"{{{name}}}" if name in whole else name for name in project.authors]


def _doi(project: Project) -> str:
    found = known(project.imprint.doi) if project.imprint else ""
    return f"https://doi.org/{found}" if found else ""


def version_words(project: Project, words: Mapping[str, str]) -> list[str]:
    """The version in words, where the imprint has one."""
    found = known(project.imprint.version) if project.imprint else ""
    return [f"{words['version']} {found}"] if found else []


def long_date(project: Project) -> str:
    """The book's date in words, in its language, without asking the machine's locale."""
    language = project.lang.split("-")[0].lower()
    month = words_of(project)["months"].split()[project.date.month - 1]
    point = "." if language == "de" else ""
    return f"{project.date.day}{point} {month} {project.date.year}"
