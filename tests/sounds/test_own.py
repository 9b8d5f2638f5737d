"""Sounds of one's own: their files, and what becomes of one that cannot be used."""

import numpy as np
import pytest

from utils.errors import ModelError
from utils.sounds.own import OwnSound, own_folder, own_sounds

BELL = OwnSound("bell", np.array([1.0, -2.0]), 0.5, 0.8, "whose", {"recordings": 3})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return own_folder()


def test_one_comes_back_from_its_file_and_scores_the_same(folder):
    BELL.save(folder / "bell.pt")
    (found,) = own_sounds("whose", 2)
    x = np.array([[0.0, 0.0], [3.0, 1.0]])
    np.testing.assert_allclose(found.score(x), BELL.score(x))
    assert (found.label, found.least, found.facts) == ("bell", 0.8, {"recordings": 3})


def test_without_any_there_are_none():
    assert list(own_sounds("whose", 2)) == []


def test_those_of_another_encoder_or_damaged_are_left_out_and_logged(folder, caplog):
    BELL.save(folder / "bell.pt")
    (folder / "odd.pt").write_bytes(b"nothing")
    assert list(own_sounds("another", 2)) == []
    assert "another Whisper" in caplog.text and "odd.pt" in caplog.text


@pytest.mark.parametrize("bad", [np.array([np.nan, 1.0]), np.ones((2, 2))])
def test_weights_that_are_none_are_refused(folder, bad):
    OwnSound("bell", bad, 0.5, 0.8, "whose").save(folder / "bell.pt")
    with pytest.raises(ModelError, match="does not fit"):
        OwnSound.load(folder / "bell.pt")
