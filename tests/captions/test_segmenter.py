"""Segments do not depend on how the sound arrives, lose nothing, and hold only speech."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.bench_quiet import Recording, missed, recorded
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions import segmenter
from utils.captions.ear import ON
from utils.captions.segmenter import Segmenter
from utils.captions.vad import WINDOW_SAMPLES, VoiceActivity
from utils.events import AudioFrame, SpeechChunk

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture(scope="module")
def detector() -> VoiceActivity:
    return VoiceActivity()


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """A sentence with a second of near-silence on both sides."""
    quiet = np.random.default_rng(1).normal(0, 1e-4, SAMPLE_RATE).astype(np.float32)
    return np.concatenate([quiet, audio.load(SPEECH), quiet])


def run(detector: VoiceActivity, samples: np.ndarray, size: int = 512) -> list[SpeechChunk]:
    cut = Segmenter(detector)
    chunks: list[SpeechChunk] = []
    for start in range(0, len(samples), size):
        chunks += cut.push(AudioFrame(start, samples[start : start + size]))
    return chunks + list(cut.flush())


def segments(chunks: list[SpeechChunk]) -> dict[int, tuple[int, np.ndarray]]:
    """Segment -> first sample and samples. While it grew, nothing that was known has changed."""
    parts = defaultdict(list)
    for chunk in chunks:
        parts[chunk.segment].append(chunk)
    whole = {}
    for number, group in parts.items():
        start = group[0].start
        assert [c.last for c in group] == [False] * (len(group) - 1) + [True]
        for chunk, later in pairwise(group[:-1]):
            assert len(chunk.samples) <= len(later.samples) and later.start == start
        longest = max((chunk.samples for chunk in group), key=len)  # more than it has in the end
        for chunk in group:
            np.testing.assert_array_equal(chunk.samples, longest[: len(chunk.samples)])
        whole[number] = (start, group[-1].samples)
    return whole


def test_samples_that_are_no_sound_spoil_no_others(detector, speech):
    spoiled = speech.copy()
    spoiled[len(speech) // 2 :][:3] = np.nan, 1e20, -1e9
    (start, clean), (other_start, other) = (
        segments(run(detector, samples))[0] for samples in (speech, spoiled)
    )
    assert other_start == start and len(other) == len(clean)
    assert np.max(np.abs(other)) <= 1 and np.count_nonzero(np.abs(other - clean) > 0.1) <= 3


@pytest.mark.parametrize("size", [1, 100, 513, 1600, 10**6])
def test_any_frame_size_gives_the_same_segments(detector, speech, size):
    samples = speech[: 4 * SAMPLE_RATE] if size == 1 else speech
    expected = segments(run(detector, samples))
    found = segments(run(detector, samples, size))
    assert found.keys() == expected.keys()
    for number, (start, heard) in expected.items():
        assert found[number][0] == start
        np.testing.assert_array_equal(found[number][1], heard)


def test_speech_is_passed_on_sample_for_sample_with_pre_roll(detector, speech):
    found = segments(run(detector, speech))
    assert len(found) >= 1
    for start, heard in found.values():
        np.testing.assert_array_equal(heard, speech[start : start + len(heard)])
    loud = np.flatnonzero(np.abs(speech) > 0.1 * np.abs(speech).max())[0]
    # A first consonant can be soft: it lies well before the first loud sample.
    assert found[0][0] <= loud - 0.15 * SAMPLE_RATE


def test_a_pause_tells_where_the_segment_will_end(detector, speech):
    chunks = run(detector, speech)
    pauses = [c.end for c in chunks if c.pause]
    ends = [c.end for c in chunks if c.last]
    assert ends[-1] == pauses[-1] < len(speech)


def test_stop_in_mid_word_loses_nothing(detector, speech):
    middle = 2 * SAMPLE_RATE + 123
    found = segments(run(detector, speech[:middle]))
    start, heard = found[max(found)]
    assert start + len(heard) == middle


def test_lost_sound_ends_the_segment_and_the_clock_goes_on(detector, speech):
    cut = Segmenter(detector)
    gap = 5 * SAMPLE_RATE
    chunks = list(cut.push(AudioFrame(0, speech[: 2 * SAMPLE_RATE])))
    chunks += cut.push(AudioFrame(2 * SAMPLE_RATE + gap, speech[2 * SAMPLE_RATE :]))
    chunks += cut.flush()
    found = segments(chunks)
    assert found[0][0] + len(found[0][1]) == 2 * SAMPLE_RATE
    assert found[1][0] >= 2 * SAMPLE_RATE + gap


def test_long_speech_is_split_at_its_quietest_place(detector):
    stretch = audio.load(SPEECH)[SAMPLE_RATE : 3 * SAMPLE_RATE]
    long = np.concatenate([stretch] * 20)
    found = list(segments(run(detector, long)).values())
    longest = segmenter.LONGEST * WINDOW_SAMPLES
    assert max(len(heard) for _, heard in found) <= longest
    splits = [
        (heard, following)
        for (start, heard), (following, _) in zip(found, found[1:])
        if following == start + len(heard)
    ]
    assert splits
    for heard, at in splits:
        before = heard[-segmenter.SPLIT_WITHIN * WINDOW_SAMPLES // 2 :]
        cut = long[at - WINDOW_SAMPLES : at + WINDOW_SAMPLES]
        assert np.mean(np.square(cut)) < 0.1 * np.mean(np.square(before))
    assert sum(len(heard) for _, heard in found) > 0.95 * len(long)


def words_of(n_windows: int, pause: int, more: int) -> np.ndarray:
    """Speech of about so many windows, a pause of faint noise, and more speech."""
    stretch = audio.load(SPEECH)[SAMPLE_RATE : 2 * SAMPLE_RATE + SAMPLE_RATE // 2]
    speech = np.tile(stretch, 12)
    room = np.random.default_rng(2).normal(0, 1e-4, 10 * SAMPLE_RATE).astype(np.float32)
    parts = [
        room[:SAMPLE_RATE],
        speech[: n_windows * WINDOW_SAMPLES],
        room[: pause * WINDOW_SAMPLES],
        speech[: more * WINDOW_SAMPLES],
        room[:SAMPLE_RATE],
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("n_windows", "hang_over"),
    [(90, segmenter.HANG_OVER), (segmenter.LONG, segmenter.LONG_HANG_OVER)],
)
def test_a_pause_ends_a_segment_and_a_shorter_one_does_not(detector, n_windows, hang_over):
    for pause, n_segments in ((hang_over - 6, 1), (hang_over + 6, 2)):
        found = segments(run(detector, words_of(n_windows, pause, 60)))
        assert len(found) == n_segments, pause


def test_while_it_pauses_what_was_worked_out_can_be_shown(detector, speech):
    chunks = run(detector, speech)
    last = [c.last for c in chunks].index(True)
    pause = max(i for i in range(last) if chunks[i].pause)
    between = chunks[pause + 1 : last]
    assert between  # one each 32 ms
    assert all(c.end == chunks[pause].end == chunks[last].end for c in between)


@pytest.mark.parametrize("back", range(0, 16, 3))
def test_after_a_split_a_rest_without_speech_is_no_segment(detector, back):
    before_s = (segmenter.LONGEST - segmenter.PAUSE - back) * WINDOW_SAMPLES / SAMPLE_RATE
    samples = words_of(segmenter.LONGEST - back, 3 * segmenter.HANG_OVER, 0)
    found = segments(run(detector, samples))
    assert sum(len(heard) for _, heard in found.values()) > 0.9 * before_s * SAMPLE_RATE
    for _, heard in found.values():
        assert np.abs(heard).max() > 0.05
        detector.reset()
        whole = len(heard) // WINDOW_SAMPLES * WINDOW_SAMPLES
        windows = heard[:whole].reshape(-1, WINDOW_SAMPLES)
        assert max(detector.probability(w) for w in windows) >= ON


@pytest.mark.parametrize("kind", ["silence", "hum", "white", "clicks"])
def test_what_is_not_speech_gives_no_segment(detector, kind):
    n = 30 * SAMPLE_RATE
    time_s = np.arange(n) / SAMPLE_RATE
    samples = {
        "silence": np.zeros(n),
        "hum": sum(0.1 / k * np.sin(2 * np.pi * 50 * k * time_s) for k in (1, 2, 3, 5)),
        "white": np.random.default_rng(0).normal(0, 0.05, n),
        "clicks": (np.arange(n) % 8000 == 0).astype(float),
    }[kind].astype(np.float32)
    cut = Segmenter(detector)
    assert list(cut.push(AudioFrame(0, samples))) == []
    assert not cut.doubtful


def test_everyday_sounds_seldom_count_as_speech(detector, shared):
    clips = sorted((shared / "noise" / "esc10").glob("*/*.ogg"))[::10]
    heard = [clip for clip in clips if run(detector, audio.load(clip))]
    # Sneezes hold a voice; of the rest next to none may pass.
    others = [clip for clip in heard if clip.parent.name != "person-sneeze"]
    assert len(others) <= 1, others


def test_quiet_speech_is_heard(detector, speech):
    loud = sum(len(heard) for _, heard in segments(run(detector, speech)).values())
    quiet = sum(len(heard) for _, heard in segments(run(detector, speech * 0.03)).values())
    assert quiet > 0.9 * loud


@pytest.fixture(scope="module")
def words() -> list[np.ndarray]:
    """Six digits, one by one, cut where it is quiet between them."""
    samples = audio.load(SPEECH.parent / "digits.flac")
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)  # of 10 ms
    loud = np.flatnonzero(np.abs(blocks).max(axis=1) > 0.05 * np.abs(samples).max())
    ends = np.flatnonzero(np.diff(loud) > 12)
    first, last = [loud[0], *loud[ends + 1]], [*loud[ends], loud[-1]]
    return [samples[160 * a : 160 * (b + 1)] for a, b in zip(first, last, strict=True)]


def test_as_few_single_words_are_missed_softly_as_loudly(detector, words):
    assert len(words) == 6
    # The first is missed at any level, cut as short as it is.
    for levels_db in ([-50], [-45], [-30], [-15], [-15, -45]):
        recording = recorded(words, levels_db, np.random.default_rng(0))
        assert missed(detector, recording) <= 1, levels_db


def test_long_speech_is_split_between_words(detector, words):
    """Not in a stop within one, as "six" and "eight" have."""
    gap = np.random.default_rng(0).normal(0, 1e-3, 4 * WINDOW_SAMPLES // 2).astype(np.float32)
    parts = [part for word in words * 20 for part in (word, gap)]
    ends = np.cumsum([len(part) for part in parts])
    between = ends[1::2] - len(gap) / 2  # the middle of each gap
    found = list(segments(run(detector, np.concatenate(parts))).values())
    cuts = [start + len(heard) for start, heard in found[:-1]]
    assert len(cuts) >= 2
    for cut in cuts:
        assert np.abs(between - cut).min() <= len(gap) / 2 + WINDOW_SAMPLES // 2, cut


@pytest.mark.parametrize(("level_db", "taken", "doubted"), [(-74, False, True), (-20, True, False)])
def test_it_is_known_that_a_voice_is_too_faint(detector, level_db, taken, doubted):
    recording = recorded([audio.load(SPEECH)] * 6, [level_db], np.random.default_rng(0))
    cut, chunks, doubtful = Segmenter(detector), [], False
    for start in range(0, len(recording.samples), 1600):
        chunks += cut.push(AudioFrame(start, recording.samples[start : start + 1600]))
        doubtful |= cut.doubtful
    assert (bool(chunks), doubtful) == (taken, doubted)


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_words_are_heard_beside_hum_and_an_offset(detector, words, offset):
    recording = recorded(words, [-20], np.random.default_rng(0))
    time_s = np.arange(len(recording.samples)) / SAMPLE_RATE
    hum = sum(0.005 / k * np.sin(2 * np.pi * 50 * k * time_s) for k in (1, 2, 3, 5))
    beside = (recording.samples + hum + offset).astype(np.float32)
    assert missed(detector, Recording(beside, recording.spans)) <= 1
