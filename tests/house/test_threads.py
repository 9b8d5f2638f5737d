"""Small networks run in one thread, and large ones beside them keep theirs."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_model import EmotionRecognizer
from utils.asr.nemo.worker import Worker
from utils.audio import load
from utils.errors import AudioError
from utils.threads import N_THREADS, all_threads, one_thread

CLIP = Path(__file__).resolve().parents[1] / "data" / "angry.flac"


@pytest.fixture(autouse=True)
def several():
    """As on a machine with three processors."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_thread_within_and_all_after() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_a_failure_gives_them_back() -> None:
    with pytest.raises(ValueError), one_thread():
        raise ValueError
    assert torch.get_num_threads() == 3


def test_emotion_is_estimated_in_one_thread(monkeypatch) -> None:
    recognizer, seen = EmotionRecognizer.load(), []
    network = recognizer.model.forward

    def spy(*given) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return network(*given)

    monkeypatch.setattr(recognizer.model, "forward", spy)
    recognizer.predict(load(CLIP))
    recognizer.scores(load(CLIP))
    with pytest.raises(AudioError):
        recognizer.scores(np.zeros(16_000, np.float32))
    assert seen == [1, 1]
    assert torch.get_num_threads() == 3


def test_a_thread_that_begins_meanwhile_can_have_all() -> None:
    seen: list[int] = []

    def work() -> None:
        all_threads()
        torch.rand(300, 300) @ torch.rand(300, 300)
        seen.append(torch.get_num_threads())

    with one_thread():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [N_THREADS]


def test_a_nemo_model_that_starts_meanwhile_has_all() -> None:
    with one_thread():
        worker = Worker()
        try:
            found = worker.submit(lambda items: [torch.get_num_threads()], None).result(10)
        finally:
            worker.close()
    assert found == N_THREADS
