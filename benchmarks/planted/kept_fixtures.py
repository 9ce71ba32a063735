"""Reports that many tests read are made once for all bugs that cannot change them: a plugin for pytest.

A bug in `present` or `publish` changes no result, so the results that its tests present are taken from the last run
whose other sources were the same. They stand in the folder that `PLANTED_KEPT` names.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

FIXTURES = ("goal_setting_report", "trial_reports", "small_reports")
SHOWS_ONLY = ("present", "publish", "consistency", "cli")  # packages that make no result


@cache
def _sources(root: Path) -> str:
    """Digest of every file that a result can hang on: code, data and the fixtures themselves."""
    package = root / "hhp_stats"
    code = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in SHOWS_ONLY]
    records = [path for path in (package / "present").rglob("*.py") if path.stem in ("report", "chapter")]
    others = [*(root / "data").rglob("*"), *(root / "tests/unit").glob("*.py")]
    total = hashlib.sha256()
    for path in sorted({*code, *records, *others}):
        if path.is_file():
            total.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> object:
    """Take a kept report where there is one; keep what is made."""
    if fixturedef.argname not in FIXTURES:
        return (yield)
    path = (
        Path(os.environ["PLANTED_KEPT"]) / f"{fixturedef.argname}-{_sources(Path(request.config.rootpath))[:20]}.pickle"
    )
    if path.is_file():
        kept = pickle.loads(path.read_bytes())
        made = fixturedef.func
        fixturedef.func = lambda **_: kept
        try:
            return (yield)
        finally:
            fixturedef.func = made
    found = yield
    with suppress(pickle.PicklingError, AttributeError, TypeError):  # then it is made again
        path.write_bytes(pickle.dumps(found))
    return found
