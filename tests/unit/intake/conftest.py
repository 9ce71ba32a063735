import pytest
from intake_builder import TrialFiles, small_trial

from hhp_stats.intake.pseudonym import KEY_VARIABLE


@pytest.fixture(scope="session")
def written_trial(tmp_path_factory) -> TrialFiles:
    """The small valid trial, written once; tests that change files use `trial_files`."""
    files = small_trial(tmp_path_factory.mktemp("written") / "project")
    files.write()
    return files


@pytest.fixture
def trial_files(tmp_path, monkeypatch, written_trial) -> TrialFiles:
    """A small valid trial, not yet written: tests change it and call `write`."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    files = small_trial(tmp_path / "project")
    files.ready = {key: (sheet, written_trial.return_path(*key)) for key, sheet in written_trial.returns.items()}
    return files
