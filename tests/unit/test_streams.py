"""Readers that go away, full disks and places that are read only: a quiet end, or the place and what to do."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.processes.at_work import NotWritten, located
from hhp_stats.publish.archive import whole_folder, write_zip

POWER = ("power", "--people", "1850", "--cluster-size", "7")


def hhp(root: Path, *words: str, **streams) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hhp_stats", *words], cwd=root, text=True, check=False, **streams)


@pytest.mark.skipif(os.name != "posix", reason="pipes of another kind")
@pytest.mark.parametrize("words", [POWER, (*POWER, "--json"), ("render", "--help")])
def test_a_reader_that_has_gone_ends_the_command_quietly(root: Path, words: tuple[str, ...]) -> None:
    for both in (False, True) if words == POWER else (False,):
        ours, theirs = os.pipe()
        os.close(ours)  # nobody reads
        done = hhp(root, *words, stdout=theirs, stderr=theirs if both else subprocess.PIPE)
        os.close(theirs)
        assert done.returncode == 141, done.stderr  # 128 and SIGPIPE
        assert not done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_standard_output_is_named(root: Path) -> None:
    with Path("/dev/full").open("w", encoding="ascii") as full:
        done = hhp(root, *POWER, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1
        said = " ".join(done.stderr.split())
        assert "standard output" in said and "make room and run the command again" in said and "Traceback" not in said
        assert (
            hhp(root, *POWER, stdout=subprocess.PIPE, stderr=full).returncode == 0
        )  # what is said beside it is not needed


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full: make room"), (errno.EROFS, "the place is read only: choose another")],
)
def test_what_cannot_be_written_is_named_and_nothing_stays(tmp_path: Path, number: int, said: str) -> None:
    target = tmp_path / "out/review.zip"
    guard = OutputGuard(root=tmp_path, command="hhp bundle")
    with pytest.raises(NotWritten, match=rf"out.review\.zip: {said}"), guard.written(target) as partial:
        partial.write_bytes(b"half")
        raise OSError(number, os.strerror(number))  # as writing to an open file fails: without its name
    assert list(target.parent.iterdir()) == []
    with pytest.raises(OSError, match=r"2026-05-31"), whole_folder(tmp_path / "2026-05-31") as folder:
        (folder / "half").write_bytes(b"half")
        raise OSError(number, os.strerror(number))
    assert not list(tmp_path.glob("*2026*"))


def test_a_zip_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    class Full(bytes):
        def __len__(self) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"a\.zip"):
        write_zip(tmp_path / "a.zip", {"a": b"1", "b": Full(b"2")})
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_named_already_stays_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="deeper"), located(tmp_path):
        raise OSError(errno.ENOSPC, "full", str(tmp_path / "deeper"))
