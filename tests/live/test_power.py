"""Power that goes in mid-sentence, with the real program: `make bench ARGS=power` does it 20 times."""

import os

import numpy as np
import soundfile

from tests.disks import Powered
from tests.lasting import missing, power_cuts
from tests.live.test_restart import SPEECH
from utils import audio
from utils.audio import SAMPLE_RATE


def test_saved_lines_outlive_the_power_and_it_goes_on_by_itself(tmp_path):
    speech = audio.load(SPEECH)
    soundfile.write(tmp_path / "speech.flac", np.tile(speech, 20), SAMPLE_RATE)
    words = ["--asr", "whisper", "--source", tmp_path / "speech.flac"]
    with Powered(tmp_path) as disk:
        found = power_cuts(2, 0, disk, words, {})
    assert found.came_back == 2 and found.shown + found.late >= 2
    assert found.lost == [] and found.bad == found.changed == 0


def test_what_is_not_on_the_disk_goes_with_the_power(tmp_path):
    with Powered(tmp_path) as disk:
        kept, lost = disk.at / "kept", disk.at / "lost"
        with kept.open("w") as file:
            file.write("kept")
            file.flush()
            os.fsync(file.fileno())
        lost.write_text("lost")
        disk.cut()
        assert kept.read_text() == "kept" and not (lost.exists() and lost.read_text())


def test_what_is_lost_would_be_seen():
    assert missing(["a", "b", "a"], ["b", "a"]) == ["a"]
