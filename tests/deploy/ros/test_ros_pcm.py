"""Bytes of audio messages as frames, and what is said of those that cannot be heard."""

import numpy as np
import pytest

from deploy.ros.pcm import QUEUE_FRAMES, Audio, Form, Pace, begins_as_mp3
from tests.deploy.ros.sound import mp3_messages, pcm, said
from utils.audio import SAMPLE_RATE
from utils.errors import CaptureError, ConfigError
from utils.sources import FRAME_SAMPLES, Source

BLOCK = 800  # samples of a message


def audio(form: Form = Form(), told: list[str] | None = None, silent_s: float = 0.01) -> Audio:
    return Audio("/audio", form, (told if told is not None else []).append, silent_s)


def heard(audio: Audio, start: int = 0) -> tuple[np.ndarray, str]:
    """All that waits, float32 (n,), and why it ended."""
    frames: list[np.ndarray] = []
    source: Source = audio.source(start)
    with source, pytest.raises(CaptureError) as ended:
        for frame in source:
            assert frame.start == start + FRAME_SAMPLES * len(frames)
            frames.append(frame.samples)
    return np.concatenate([*frames, np.zeros(0, np.float32)]), str(ended.value)


def put(audio: Audio, data: bytes, block: int = 2 * BLOCK) -> None:
    for at in range(0, len(data), block):
        audio.put(data[at : at + block], at / 2 / SAMPLE_RATE)


def test_pcm_comes_out_as_frames_however_it_is_cut():
    whole = []
    for block in (2 * BLOCK, 2 * 4001):
        audio_ = audio()
        put(audio_, pcm(said()[: 2 * SAMPLE_RATE]), block)
        whole.append(heard(audio_)[0])
    assert np.array_equal(*whole)
    assert len(whole[0]) == 2 * SAMPLE_RATE // FRAME_SAMPLES * FRAME_SAMPLES
    assert np.abs(whole[0] - said()[: len(whole[0])]).max() < 0.05  # an offset is taken away


def test_other_rates_and_channels_come_to_16_khz_and_one():
    audio_ = audio(Form(48_000, 2))
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    put(audio_, pcm(tone.astype(np.float32), channels=2))
    samples, _ = heard(audio_)
    assert 15_000 < len(samples) <= 16_000
    assert np.argmax(np.abs(np.fft.rfft(samples))) == pytest.approx(
        440 * len(samples) / 16e3, abs=2
    )


def test_a_session_that_opens_it_again_goes_on_with_its_clock_and_keeps_what_came_meanwhile():
    audio_ = audio()
    heard(audio_)
    put(audio_, pcm(said()[: 3 * SAMPLE_RATE]))  # nobody listens now
    samples, _ = heard(audio_, start=100_000)
    assert len(samples) == 2 * SAMPLE_RATE // FRAME_SAMPLES * FRAME_SAMPLES
    last_s = (100_000 + len(samples)) / SAMPLE_RATE  # of what was put at 0 to 3 s
    assert audio_.stamp_s(last_s) == pytest.approx(3.0, abs=FRAME_SAMPLES / SAMPLE_RATE)


def test_a_full_queue_drops_counts_and_goes_on_with_the_clock():
    audio_ = audio()
    with audio_.source() as source:
        put(audio_, bytes(2 * 11 * SAMPLE_RATE))
        assert source.queue_depth == QUEUE_FRAMES
        lost = 11 * SAMPLE_RATE // FRAME_SAMPLES - QUEUE_FRAMES
        assert source.dropped == lost
        list(zip(range(QUEUE_FRAMES), source, strict=False))
        put(audio_, bytes(2 * BLOCK))
        assert next(iter(source)).start == (QUEUE_FRAMES + lost) * FRAME_SAMPLES
    with audio_.source() as source:
        assert source.dropped == 0


def test_nothing_that_comes_is_said_after_what_came():
    audio_ = audio()
    put(audio_, bytes(2 * FRAME_SAMPLES))
    samples, why = heard(audio_)
    assert len(samples) == FRAME_SAMPLES
    assert why.startswith("nothing has come on /audio for 0.01 s; see that the node")


def test_closing_ends_it_without_an_error():
    with audio().source() as source:
        source.close()
        assert list(source) == []


def test_mp3_is_refused_until_pcm_comes(tmp_path):
    audio_ = audio(silent_s=5)
    for message in mp3_messages(tmp_path)[:4]:
        audio_.put(message, 0.0)
    with audio_.source() as source:
        audio_.put(mp3_messages(tmp_path)[4], 0.0)
        with pytest.raises(CaptureError, match="MP3, and only 16-bit PCM .* format:=wave"):
            list(source)
        put(audio_, pcm(said()[:BLOCK]))
        assert len(next(iter(source)).samples) == FRAME_SAMPLES


def test_sound_that_begins_as_mp3_once_is_heard():
    loud = np.full(BLOCK, 0xFBFF - 65_536, "<i2")  # FF FB FF FB …
    loud[1] = 0x6490
    assert begins_as_mp3(loud.tobytes())
    audio_ = audio()
    for data in (loud.tobytes(), pcm(said()[:BLOCK]), loud.tobytes()):
        audio_.put(data, 0.0)
    assert len(heard(audio_)[0]) == 3 * BLOCK // FRAME_SAMPLES * FRAME_SAMPLES


def test_half_samples_are_refused():
    audio_ = audio(Form(channels=2), silent_s=5)
    with audio_.source() as source:
        audio_.put(bytes(418), 0.0)
        with pytest.raises(CaptureError, match="418 bytes.* 16 bits and 2 channels"):
            list(source)


@pytest.mark.parametrize(
    ("said_of_it", "why"),
    [((16_000, 1, "S16LE", "mp3"), "brings mp3"), ((16_000, 1, "F32LE", "wave"), "F32LE")],
)
def test_what_its_node_says_is_no_pcm_is_refused(said_of_it, why):
    audio_ = audio(silent_s=5)
    audio_.describe(*said_of_it)
    with audio_.source() as source:
        audio_.put(bytes(2 * BLOCK), 0.0)
        with pytest.raises(CaptureError, match=why):
            list(source)
    audio_.describe(16_000, 1, "S16LE", "wave")
    with audio_.source() as source:
        audio_.put(bytes(2 * BLOCK), 0.0)
        assert len(next(iter(source)).samples) == FRAME_SAMPLES


def test_what_its_node_says_wins_over_what_was_set_and_is_told_once():
    told: list[str] = []
    audio_ = audio(told=told)
    for _ in range(3):
        audio_.describe(48_000, 2, "S16LE", "WAVE")
    assert audio_.form == Form(48_000, 2)
    audio_.describe(0, 2, "S16LE", "wave")
    assert audio_.form == Form(48_000, 2)
    assert [text.split(",")[0] for text in told] == [
        "/audio is 48000 Hz",
        "/audio stays 48000 Hz",
    ]


@pytest.mark.parametrize("form", [{"rate": 0}, {"rate": 400_000}, {"channels": 0}])
def test_a_form_that_cannot_be_is_refused(form):
    with pytest.raises(ConfigError, match="expected"):
        Form(**form)


def judged(rate: int, times_s: np.ndarray, n: int) -> list[float]:
    pace = Pace(rate)
    return [told for at in times_s if (told := pace.judge(n, float(at))) is not None]


def test_another_rate_than_was_set_is_told_once():
    times_s = np.arange(0, 40, 0.1)
    assert judged(16_000, times_s, 1_600) == []
    assert judged(16_000, times_s, 1_700) == []  # clocks differ
    assert judged(16_000, times_s, 4_410) == [pytest.approx(44_100, rel=0.02)]


def test_pauses_and_messages_that_had_piled_up_are_no_other_rate():
    spoken = np.concatenate([np.arange(at, at + 6, 0.1) for at in range(0, 60, 10)])
    assert judged(16_000, spoken, 1_600) == []
    steady = np.arange(0, 40, 0.1)
    piled = np.where((steady > 10) & (steady < 12.5), 12.5, steady)
    assert judged(16_000, piled, 1_600) == []


def test_the_wrong_rate_is_told_with_what_to_set():
    told: list[str] = []
    times = iter(np.arange(0, 40, 0.1))
    audio_ = Audio("/audio", Form(), told.append, clock=lambda: float(next(times)))
    for _ in range(300):
        audio_.put(bytes(2 * 4_800), 0.0)
    assert len(told) == 1
    assert (
        "16000 Hz, 1 channel is set: words come wrong; set sample_rate (such as to 48000)"
        in told[0]
    )
