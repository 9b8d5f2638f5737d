"""What the page is told of listening: the worst state that lasts, and losses for a while."""

from pathlib import Path

import numpy as np
import pytest

from tests.recordings import speechlike
from utils.audio import SAMPLE_RATE
from utils.events import AudioFrame
from utils.lasting import Lasting
from utils.live.watch import (
    CLIPPED_S,
    FAINT_S,
    HUM_ENDS_S,
    IN_TIME_LASTS_S,
    IN_TIME_S,
    LATE_S,
    LOSS_S,
    QUIET_S,
    SHOWN_S,
    ZEROS_S,
    Moves,
    Watch,
)
from utils.sources import FRAME_SAMPLES, FileSource

RECORDING = Path(__file__).parents[1] / "data" / "speech.flac"
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
SOUND = np.random.default_rng(0).normal(0, 0.1, FRAME_SAMPLES).astype(np.float32)
ZEROS = np.zeros(FRAME_SAMPLES, np.float32)


class Queue:
    """The counters of a source, as a microphone that is not taken from fills them."""

    name = "a microphone"

    def __init__(self) -> None:
        self.dropped = 0
        self.queue_depth = 0


@pytest.fixture
def source() -> Queue:
    return Queue()


def listen(
    watch: Watch, samples: np.ndarray, seconds: float, hearing: bool = False
) -> tuple[list[str], list[str]]:
    """Codes of the states, and of losses, in order; each change once."""
    states: list[str] = []
    losses: list[str] = []
    for _ in range(round(seconds / FRAME_S)):
        message, quiet = watch.judge(AudioFrame(0, samples), hearing)
        assert quiet == (message.code in ("listening.silent", "listening.quiet"))
        if states[-1:] != [message.code]:
            states.append(message.code)
        if watch.lost:
            losses.append(str(watch.lost))
    return states, losses


def test_a_loss_is_told_and_never_hides_a_microphone_that_is_muted_later(source):
    watch = Watch(source)
    assert listen(watch, SOUND, 1, hearing=True) == (["listening"], [])
    source.dropped = 100
    states, losses = listen(watch, SOUND, 1, hearing=True)
    assert states == ["listening"]
    assert losses == ["This computer was too slow: 4 seconds of sound were lost."]
    states, losses = listen(watch, ZEROS, ZEROS_S + 1)
    assert states == ["listening", "listening.silent"] and not losses


def test_nobody_is_asked_to_speak_louder_or_to_mend_a_microphone_in_a_recording():
    recording = FileSource(RECORDING, realtime=False)
    for samples in (ZEROS, SOUND):
        watch = Watch(recording)
        states = []
        for _ in range(round((QUIET_S + SHOWN_S + 1) / FRAME_S)):
            message, quiet = watch.judge(AudioFrame(0, samples), hearing=False)
            assert not quiet
            if states[-1:] != [message.code]:
                states.append(message.code)
        assert states == ["listening", "listening.nothing"]


def test_losses_that_go_together_are_summed_and_later_ones_counted_anew(source):
    watch = Watch(source)
    told = []
    for _ in range(3):
        source.dropped += 40
        told += listen(watch, SOUND, 1, hearing=True)[1]
    assert [text.split(":")[1].split()[0] for text in told] == ["2", "3", "4"]
    listen(watch, SOUND, LOSS_S, hearing=True)
    source.dropped += 40
    assert "2 seconds" in listen(watch, SOUND, 1, hearing=True)[1][0]


def test_a_muted_microphone_is_told_even_while_captions_are_late(source):
    watch = Watch(source)
    source.queue_depth = round((LATE_S + 1) / FRAME_S)
    states, _ = listen(watch, ZEROS, ZEROS_S + 1)
    assert states == ["listening.late", "listening.silent"]


def test_late_is_said_until_captions_are_in_time_again(source):
    watch = Watch(source)
    said = []
    below, above = LATE_S - 0.5, LATE_S + 0.5
    for late_s in (below, above, below, IN_TIME_S + 0.2, IN_TIME_S - 0.2, below):
        source.queue_depth = round(late_s / FRAME_S)
        said += listen(watch, SOUND, 0.2, hearing=True)[0]
    late = "listening.late"
    assert said == ["listening", late, late, late, late, late]
    source.queue_depth = round((IN_TIME_S - 0.2) / FRAME_S)
    assert listen(watch, SOUND, IN_TIME_LASTS_S + 1, hearing=True)[0] == [late, "listening"]


def test_single_samples_do_not_end_silence_and_sound_does(source):
    watch = Watch(source)
    listen(watch, ZEROS, ZEROS_S + 1)
    click = ZEROS.copy()
    click[7] = 2.0**-15
    for _ in range(20):
        assert listen(watch, click, 0.1)[0] == listen(watch, ZEROS, 0.1)[0] == ["listening.silent"]
    assert listen(watch, SOUND, 1, hearing=True)[0][-1] == "listening"


def test_without_speech_it_is_said_that_none_is_heard(source):
    watch = Watch(source)
    assert listen(watch, SOUND, QUIET_S + SHOWN_S + 1)[0] == ["listening", "listening.quiet"]
    assert listen(watch, SOUND, 0.1, hearing=True)[0] == ["listening"]


def test_voices_without_words_are_called_too_faint_while_they_last(source):
    watch = Watch(source)

    def states(seconds: float, unheard: bool) -> list[str]:
        frames = [AudioFrame(0, SOUND)] * round(seconds / FRAME_S)
        return [watch.judge(frame, False, unheard)[0].code for frame in frames]

    assert states(FAINT_S / 2, unheard=True)[-1] == "listening"
    assert states(QUIET_S + 1, unheard=True)[-1] == "listening.faint"
    assert states(2 * FAINT_S, unheard=False)[-1] == "listening.quiet"


def sung(seconds: float, loudest: float) -> np.ndarray:
    """Sound that swells as speech does, cut off at `loudest`."""
    sound = 0.8 * speechlike(seconds, SAMPLE_RATE)[:, 0] / 0.5
    return np.clip(sound, -loudest, loudest)


@pytest.mark.parametrize(("loudest", "code"), [(1.0, "listening"), (0.2, "listening.clipped")])
def test_speech_that_is_cut_off_is_told_while_it_lasts(source, loudest, code):
    watch = Watch(source)

    def last(samples: np.ndarray, hearing: bool = True) -> str:
        codes = [
            watch.judge(AudioFrame(at, samples[at : at + FRAME_SAMPLES]), hearing)[0].code
            for at in range(0, len(samples), FRAME_SAMPLES)
        ]
        return codes[-1]

    loud = sung(2 * CLIPPED_S + 2, loudest)
    assert last(loud[:SAMPLE_RATE]) == "listening"
    assert last(loud) == code
    assert last(np.zeros(SAMPLE_RATE, np.float32) + 1e-4, hearing=False) == code  # a pause
    assert last(sung(CLIPPED_S + 15, 1.0)) == "listening"


def test_loud_hum_is_told_and_is_not_taken_for_speech_that_is_cut_off(source):
    watch = Watch(source)
    hum = np.sin(2 * np.pi * 50 * np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    for at in range(0, len(hum), FRAME_SAMPLES):
        frame = AudioFrame(at, hum[at : at + FRAME_SAMPLES])
        assert watch.judge(frame, True, humming=True)[0].code == "listening.hum"
    states = listen(watch, SOUND, HUM_ENDS_S + 0.1, hearing=True)[0]
    assert states == ["listening.hum", "listening"]


def test_another_microphone_is_told_once_and_a_name_that_is_not_known_yet_is_none():
    moves = Moves()
    names = ["", "Inside", "", "Inside", "Headset", "", "Headset", "Inside"]
    told = [moves.judge(name) for name in names]
    assert [name for name, said in zip(names, told) if said] == ["Headset", "Inside"]


@pytest.mark.parametrize("awake", [True, False])
def test_what_waits_after_a_sleep_is_not_called_too_slow(source, awake):
    slept = [not awake]
    watch = Watch(source, lambda: slept[0])
    source.queue_depth = round(2 * LATE_S / FRAME_S)
    source.dropped = 500
    states, losses = listen(watch, SOUND, 0.2, hearing=True)
    assert states == ["listening.late" if awake else "listening.catching_up"]
    assert len(losses) == awake
    slept[0] = False  # long ago, but it has not caught up yet
    assert listen(watch, SOUND, 1, hearing=True) == (states, [])
    source.queue_depth = 0
    later = listen(watch, SOUND, IN_TIME_LASTS_S + 1, hearing=True)
    assert later == ([*states, "listening"], [])
    source.queue_depth = round(2 * LATE_S / FRAME_S)
    assert listen(watch, SOUND, 1, hearing=True)[0] == ["listening.late"]


def test_a_state_begins_and_ends_after_a_while():
    state = Lasting(begins_s=2.0, ends_s=1.0)
    yes, no = (lambda sign=sign: state.take(sign, 0.5) for sign in (True, False))
    assert not any([yes(), yes(), no(), yes(), yes(), yes(), yes()]) and yes()
    assert no() and no() and yes() and no() and no() and not no()


def test_how_late_captions_are_is_never_told_as_next_to_nothing(source):
    watch, told = Watch(source), []
    for late_s in (LATE_S + 2, 2.0, 1.2, 0.2, 0.0):
        source.queue_depth = round(late_s / FRAME_S)
        message, _ = watch.judge(AudioFrame(0, SOUND), hearing=True)
        for _ in range(int(LATE_S / FRAME_S) if not told else 0):
            message, _ = watch.judge(AudioFrame(0, SOUND), hearing=True)
        assert message.code == "listening.late"
        told.append(message.values["late_s"])
    assert told == [5, 2, 2, 2, 2]


def test_being_late_neither_comes_nor_goes_for_a_moment_only(source):
    """As a computer at its limit makes it: the queue empties and fills again and again."""
    watch = Watch(source)
    states: list[str] = []
    for _ in range(20):
        for depth_s in (LATE_S + 0.2, IN_TIME_S - 0.2):
            source.queue_depth = round(depth_s / FRAME_S)
            states += listen(watch, SOUND, 2.5, hearing=True)[0]
    assert set(states) == {"listening.late"}
    source.queue_depth = 0
    assert listen(watch, SOUND, IN_TIME_LASTS_S + 1, hearing=True)[0][-1] == "listening"


@pytest.mark.parametrize("seed", range(5))
def test_no_state_is_gone_before_it_can_be_read_unless_a_worse_one_comes(source, seed):
    watch, random = Watch(source), np.random.default_rng(seed)
    ranks = "listening quiet faint clipped hum late silent".split()
    lasted: list[tuple[str, float]] = []
    for _ in range(600):
        source.queue_depth = round(random.choice([0, 0, IN_TIME_S + 1, LATE_S + 2]) / FRAME_S)
        samples, hearing = random.choice([0, 1, 1]) * SOUND, bool(random.integers(2))
        humming, unheard = bool(random.integers(4) == 0), bool(random.integers(3) == 0)
        for _ in range(int(random.choice([1, 3, 40, 400]))):
            frame = AudioFrame(0, samples)
            code = watch.judge(frame, hearing, unheard, humming)[0].code.rpartition(".")[2]
            if not lasted or lasted[-1][0] != code:
                lasted.append((code, 0.0))
            lasted[-1] = code, lasted[-1][1] + FRAME_S
    assert len(lasted) > 20 and len({code for code, _ in lasted}) >= 5
    for (code, seconds), (then, _) in zip(lasted[1:], lasted[2:]):
        if ranks.index(then) < ranks.index(code):
            assert seconds > SHOWN_S - 2 * FRAME_S, (code, then)
