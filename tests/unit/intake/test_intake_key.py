"""The key of the pseudonyms: random ones are taken, what can be guessed is refused with rule and remedy."""

import base64
import hashlib
import os
import random
import stat

import pytest
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.errors import DataError
from hhp_stats.intake.key import open_to_others, weakness, write_key
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.pseudonym import DEVELOPMENT_KEY, KEY_VARIABLE, Pseudonyms, load_pseudonyms

WEAK = {
    "too short": b"9f2c61d07be84a35",
    "one letter": b"a" * 32,
    "zeros": b"\0" * 64,
    "two signs": b"ab" * 20,
    "a pattern": b"0123456789abcdef" * 4,
    "a pattern that breaks off": b"Tr0ub4dor&3-Tr0ub4dor&3-Tr0ub4dor&3-Tr0",
    "random, twice": b"9f2c61d07be84a35" * 2,
    "the alphabet": b"abcdefghijklmnopqrstuvwxyz0123456789",
    "the alphabet backwards": b"zyxwvutsrqponmlkjihgfedcba9876543210",
    "bytes in order": bytes(range(200, 240)),
    "words": b"correct horse battery staple and some more",
    "words in one": b"correcthorsebatterystapleandsomemore",
    "words in capitals": b"CorrectHorseBatteryStapleAndSomeMore7",
    "short words with capitals": b"MySecretKeyForTheTrial2019AndMore1x",
    "words with digits": b"happier-healthier-professionals-2019-2020",
    "words in another script": "пароль для исследования номер один".encode(),
    "a sentence in the file": b"This is the secret key of our trial, do not share!",
    "a number": b"31415926535897932384626433832795028841",
    "keyboard rows": b"qwertyuiopasdfghjklzxcvbnmqwertyuiop",
}


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK)
def test_a_key_that_can_be_guessed_is_refused_for_synthetic_and_real_data(key, tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    (tmp_path / "key").write_bytes(key)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key"))
    for status in ("synthetic", "real"):
        with pytest.raises(DataError, match=rf"{KEY_VARIABLE}: \[P01\] A pseudonym key must .*hhp key FILE") as caught:
            load_pseudonyms(tmp_path / "project", status=status)
        assert key.decode("latin-1") not in str(caught.value)


def test_random_keys_in_every_way_of_writing_are_taken():
    rng = random.Random(3)
    for _ in range(300):
        drawn = rng.randbytes(32)
        for key in (
            drawn,
            drawn.hex().encode(),
            drawn.hex().upper().encode(),
            base64.b64encode(drawn),
            base64.urlsafe_b64encode(drawn),
            hashlib.sha256(drawn).hexdigest().encode(),
        ):
            assert weakness(key) == "", key


def test_the_development_key_is_for_synthetic_data_only(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    (tmp_path / "key").write_bytes(DEVELOPMENT_KEY)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key"))
    assert load_pseudonyms(tmp_path / "project", status="synthetic").development
    with pytest.raises(DataError, match="development key is public"):
        load_pseudonyms(tmp_path / "project", status="real")


def test_the_command_makes_a_key_that_is_taken_and_shown_nowhere(tmp_path, trial_files, monkeypatch):
    root, path = trial_files.write(), tmp_path / "hhp.key"
    (root / "_quarto.yml").write_text("project:\n  type: book\n", encoding="utf-8")
    monkeypatch.chdir(root)
    said = CliRunner().invoke(app, ["key", str(path)])
    assert said.exit_code == 0 and KEY_VARIABLE in said.output
    secret = path.read_bytes().strip()
    assert secret.decode() not in said.output
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    assert load_pseudonyms(root, status="real").of("a") == Pseudonyms(secret).of("a")
    for bad in (path, root / "data/key"):  # never over a key, never within the project
        refused = CliRunner().invoke(app, ["key", str(bad)])
        assert refused.exit_code == 2
    assert path.read_bytes().strip() == secret and not (root / "data/key").exists()


@pytest.mark.skipif(os.name != "posix", reason="rights of files as POSIX has them")
def test_a_key_that_others_may_read_is_a_warning(tmp_path, trial_files, monkeypatch):
    path = tmp_path / "hhp.key"
    write_key(path)
    root = trial_files.write()
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    assert load_trial(root).problems.empty
    for mode in (0o640, 0o604, 0o644):
        path.chmod(mode)
        assert open_to_others(path)
        problems = load_trial(root).problems
        assert problems["code"].tolist() == ["P02"] and problems["severity"].tolist() == ["warning"]
        assert str(tmp_path) not in problems.to_csv()
