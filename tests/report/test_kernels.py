"""What cells print is kept as notebooks keep it, in a forked kernel as in one that is started."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from book_tools import WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.publish import kernels, warm_kernels
from hhp_stats.publish.execute import execute
from hhp_stats.publish.lint import read_and_lint
from hhp_stats.publish.project import load_project
from hhp_stats.publish.weave import weave

Outputs = tuple[tuple[Any, ...], ...]


@pytest.fixture(params=["started", "forked"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to a kernel; those forked come from one process (`kernels_of_one_process`)."""
    if request.param == "forked":
        if not warm_kernels.can_fork():
            pytest.skip("kernels cannot be forked here")
    else:
        monkeypatch.setattr(warm_kernels, "can_fork", lambda: False)
    return str(request.param)


def ran(root: Path) -> list[Outputs]:
    project = load_project(root)
    sources, _ = read_and_lint(project)
    return [done.outputs for done in execute(project, sources, fresh=True) if done.outputs]


def cells(write_book: WriteBook, *codes: str, options: str = "") -> Outputs:
    text = "# One {#sec-one}\n\n" + "\n".join(f"```{{python}}\n{options}{code}\n```\n" for code in codes)
    (outputs,) = ran(write_book(text))
    return outputs


def plain(outputs: Sequence[Any]) -> list[tuple[str, str]]:
    """Kind and text of each output."""
    return [
        (output.get("name", output["output_type"]), output.get("text") or output.get("data", {}).get("text/plain", ""))
        for output in outputs
    ]


def test_prints_displays_and_values_keep_their_order(kernel: str, write_book: WriteBook) -> None:
    found = cells(
        write_book,
        "import sys\nprint('a')\nprint('b')\nprint('c', file=sys.stderr)\ndisplay(1)\nprint('d')\n2",
        "3;",
        "_ + 1",
    )
    assert plain(found[0]) == [
        ("stdout", "a\nb\n"),
        ("stderr", "c\n"),
        ("display_data", "1"),
        ("stdout", "d\n"),
        ("execute_result", "2"),
    ]
    assert not found[1]
    assert plain(found[2]) == [("execute_result", "3")]  # a silenced value is none


def test_what_other_programs_print_is_kept_too(kernel: str, write_book: WriteBook) -> None:
    code = "import os, subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(1)'], check=True)\nNone"
    found = cells(write_book, code, "os.write(1, b'two\\n')\nNone", "!echo three", "print(4)")
    assert [[(name, text.replace("\r", "")) for name, text in plain(each)] for each in found] == [
        [("stdout", text)] for text in ("1\n", "two\n", "three\n", "4\n")
    ]


def test_a_warning_does_not_name_the_cell(kernel: str, write_book: WriteBook) -> None:
    code = "#| warning: true\nimport warnings\nwarnings.warn('careful')\n"
    root = write_book(f"# One {{#sec-one}}\n\n```{{python}}\n{code}```\n")
    project = load_project(root)
    sources, _ = read_and_lint(project)
    texts = [weave(project, *each).markdown for each in zip(sources, execute(project, sources), strict=True)]
    assert "UserWarning: careful\n  warnings.warn('careful')" in texts[1]
    assert "<" not in texts[1] and "ipython" not in texts[1]


def test_displays_can_be_changed_and_cleared(kernel: str, write_book: WriteBook) -> None:
    found = cells(
        write_book,
        "shown = display('first', display_id=True)",
        "shown.update('second')",
        "from IPython.display import clear_output\nprint('gone')\nclear_output(wait=True)\nprint('stays')",
    )
    assert plain(found[0]) == [("display_data", "'second'")]
    assert not found[1]
    assert plain(found[2]) == [("stdout", "stays\n")]


def test_figures_and_pictures(kernel: str, write_book: WriteBook) -> None:
    drawn = "%matplotlib inline\nimport matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n_ = axes.plot([1, 2])"
    found = cells(write_book, drawn, "from IPython.display import Image\nImage(data=b'\\x89PNG\\r\\n', format='png')")
    assert found[0][0]["data"]["image/svg+xml"].startswith("<?xml") and "image/png" not in found[0][0]["data"]
    assert found[1][0]["data"]["image/png"].strip() == "iVBORw0K"


def test_an_error_that_may_happen_ends_only_its_cell(kernel: str, write_book: WriteBook) -> None:
    text = (
        "# One {#sec-one}\n\n```{python}\n#| error: true\nprint(1)\n1 /"
        " 0\nprint(2)\n```\n\n```{python}\nprint(3)\n```\n"
    )
    (found,) = ran(write_book(text))
    assert plain(found[0])[0] == ("stdout", "1\n")
    assert (found[0][1]["ename"], found[0][1]["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert plain(found[1]) == [("stdout", "3\n")]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("exit()", "cannot end its process"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("import os\nos._exit(0)", "the kernel died"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "the kernel died"),
        ("display({'text/plain': object()}, raw=True)", "not JSON serializable"),
        ("input('?')", "EOF"),
        ("%nothing", "UsageError: Line magic function `%nothing` not found"),
    ],
)
def test_code_that_cannot_be_run_to_its_end(kernel: str, write_book: WriteBook, code: str, message: str) -> None:
    with pytest.raises(RenderError, match=message) as caught:
        cells(write_book, code)
    assert caught.value.file == "one.qmd"


def test_chapters_know_nothing_of_each_other(kernel: str, write_book: WriteBook) -> None:
    first = "# Start {#sec-start}\n\n```{python}\nimport builtins, sys\nbuiltins.left = sys.argv.append('left')\n```\n"
    second = (
        "# One {#sec-one}\n\n```{python}\nimport builtins, os, sys\n"
        "print(hasattr(builtins, 'left'), 'left' in sys.argv, [n for n in sys.modules if n.startswith('hhp_stats')])\n"
        "print(sys.path[0] == '', any(path.endswith('publish') for path in sys.path), os.getcwd())\n```\n"
    )
    root = write_book(second, index=first)
    found = ran(root)[-1]
    assert plain(found[0]) == [("stdout", f"False False []\nTrue False {root}\n")]


def test_a_failing_chapter_stops_the_others(kernel: str, write_book: WriteBook, tmp_path: Path) -> None:
    waits = (
        "# Start {#sec-start}\n\n```{python}\nimport os, time\nfrom pathlib import Path\n"
        f"Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n```\n"
    )
    fails = (
        "# One {#sec-one}\n\n```{python}\nimport time\nfrom pathlib import Path\n"
        f"while not Path({str(tmp_path / 'pid')!r}).exists():\n    time.sleep(0.01)\n1 / 0\n```\n"
    )
    with pytest.raises(RenderError, match="ZeroDivisionError"):
        ran(write_book(fails, index=waits))
    if sys.platform == "linux":
        status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
        for _ in range(100):
            if not status.exists() or status.read_text().split()[2] in "ZX":
                return
            time.sleep(0.05)
        pytest.fail("the other chapter's kernel still runs")


@pytest.mark.skipif(not warm_kernels.can_fork(), reason="kernels cannot be forked here")
def test_forked_and_started_kernels_give_the_same(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import matplotlib, sys, os\nimport matplotlib.pyplot as plt\nfrom hhp_stats.present.style import apply_style\n"
        "print(sorted(matplotlib.rcParams.items()))\napply_style()\nprint(sorted(matplotlib.rcParams.items()))\n"
        "figure, axes = plt.subplots()\n_ = axes.set_title('Words')\nprint(matplotlib.get_backend(), hash('a'))\n"
        "print(sorted(name for name in os.environ if not name.startswith('PYTEST') and name != 'IPYTHONDIR'))"
    )
    root = write_book(
        f"# One {{#sec-one}}\n\n```{{python}}\n#| label: fig-a\n#| fig-cap: A\n#| fig-alt: A\n{code}\n```\n"
    )
    made = []
    for fork_from in (1, 99):
        monkeypatch.setattr(kernels, "_FORK_FROM", fork_from)
        made.append(json.dumps(ran(root)))
    assert made[0] == made[1] and "svg+xml" in made[0]
