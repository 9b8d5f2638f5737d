"""Features are computed once, survive kills and damage, and follow the files they are of."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.emotion.small_encoder import small_encoder
from training.corpora import LABELS, Clip
from training.sound import cache as cache_module
from training.sound import shards
from training.sound.cache import FeatureCache
from training.sound.conditions import CONDITIONS, NOT_FEELINGS, as_live
from utils.audio import SAMPLE_RATE, load
from utils.emotion import features, steps
from utils.emotion.encoder import Encoder
from utils.errors import DataError

HOME = Path(__file__).resolve().parents[2]
HISS = 0.1 * np.random.default_rng(0).standard_normal((2, SAMPLE_RATE)).astype(np.float32)


def record(path: Path, seed: int = 0, level: float = 0.1) -> None:
    """A recording of 0.4 s of a buzz, of another pitch for another seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(int(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    buzz = np.sign(np.sin(2 * np.pi * (90 + 7 * seed) * time_s))
    soundfile.write(path, level * buzz, SAMPLE_RATE)


def recorded(folder: Path, n: int) -> list[Clip]:
    """`n` clips of real files."""
    clips = [
        Clip(folder / "corpus" / f"{k}.wav", LABELS[k % 8], f"savee-{k % 4}", "savee", "en")
        for k in range(n)
    ]
    for k, clip in enumerate(clips):
        record(clip.path, seed=k)
    return clips


def opened(folder: Path, **options) -> FeatureCache:
    return FeatureCache(folder / "cache", [HISS[0]], [HISS[1]], **{"workers": 1, **options})


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of samples of each sound that features were computed of."""
    calls: list[int] = []

    extract = steps.extract

    def counted(
        samples: np.ndarray,
        config: features.FeatureConfig = features.DEFAULT_CONFIG,
        encoder: Encoder | None = None,
    ) -> np.ndarray:
        calls.append(len(samples))
        return extract(samples, config, encoder)

    monkeypatch.setattr(steps, "extract", counted)
    monkeypatch.setattr(cache_module, "PER_SHARD", 4)
    return calls


# --- what is kept


def test_kept_features_are_those_of_the_clip(tmp_path: Path) -> None:
    clips = recorded(tmp_path, 3)
    cache = opened(tmp_path)
    assert cache.prepare(clips, 2) == clips
    for clip in clips:
        expected = steps.extract(as_live(load(clip.path)))
        found = cache.get(clip, 0)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=2**-10, atol=1e-4)
        varied = cache.get(clip, 1)
        assert len(varied) != len(expected) or np.abs(varied - expected).max() > 1


def test_a_second_start_computes_nothing_and_finds_the_same(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 6)
    found = []
    for _ in range(2):
        cache = opened(tmp_path)
        cache.prepare(clips, 3)
        found.append([cache.get(c, v) for c in clips for v in range(3)])
        found[-1] += cache.condition(clips, "room") + cache.voiceless(5, seed=1)
    assert len(described) == 6 * 3 + 6 + 5
    for first, second in zip(*found):
        np.testing.assert_array_equal(first, second)


def test_more_variants_and_more_sounds_are_added_to_those_there(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 5)
    cache = opened(tmp_path)
    cache.prepare(clips[:3], 2)
    cache.prepare(clips, 3)
    assert len(described) == 5 * 3
    few, more = cache.voiceless(2, seed=0), cache.voiceless(4, seed=0)
    assert len(described) == 5 * 3 + 4
    for first, again in zip(few, more):
        np.testing.assert_array_equal(first, again)


def test_sounds_without_a_voice_differ_by_seed_and_by_noises(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    heard = cache.voiceless(6, seed=0)
    for other in (cache.voiceless(6, seed=1), cache.voiceless(6, seed=0, unheard=True)):
        assert [len(a) for a in heard] != [len(a) for a in other]


def test_another_config_or_other_noises_are_not_mistaken_for_these(
    tmp_path: Path, described
) -> None:
    clips = recorded(tmp_path, 1)
    opened(tmp_path).prepare(clips, 2)
    small = opened(tmp_path, config=features.FeatureConfig(n_mfcc=13))
    small.prepare(clips, 2)
    assert small.get(clips[0], 1).shape[1] == 4 * 15
    FeatureCache(tmp_path / "cache", [HISS[1]], [HISS[1]], workers=1).prepare(clips, 2)
    assert len(described) == 3 * 2


def test_what_is_kept_has_passed_the_encoder(tmp_path: Path) -> None:
    clips, encoder = recorded(tmp_path, 2), small_encoder()
    bare, heard = opened(tmp_path), opened(tmp_path, encoder=encoder)
    for cache in (bare, heard):
        cache.prepare(clips, 2)

    def all_of(cache: FeatureCache) -> list[np.ndarray]:
        kept = [cache.get(clip, variant) for clip in clips for variant in (0, 1)]
        kept += cache.voiceless(2, seed=0)
        return kept + [a for name in ("room", "pace 1.5") for a in cache.condition(clips, name)]

    n = steps.STEP * features.DEFAULT_CONFIG.n_features
    for without, with_it in zip(all_of(bare), all_of(heard), strict=True):
        assert without.shape[1] == n and with_it.shape[1] == n + encoder.width
        np.testing.assert_array_equal(with_it[:, :n], without)
        assert with_it[:, n:].std(axis=0).min() > 0
    for clip in clips:
        expected = steps.extract(as_live(load(clip.path)), encoder=encoder)
        np.testing.assert_allclose(heard.get(clip, 0), expected, rtol=2**-10, atol=1e-3)


def test_features_of_another_encoder_are_not_mistaken_for_these(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 3)
    identities = set()
    for encoder in (None, small_encoder(0), small_encoder(1)):
        described.clear()
        cache = opened(tmp_path, encoder=encoder)
        cache.prepare(clips, 1)
        assert len(described) == 3
        identities.add(cache.identity)
    assert len(identities) == 3
    described.clear()
    again = opened(tmp_path, encoder=small_encoder(0))
    again.prepare(clips, 1)
    assert not described and again.identity in identities


def test_a_moved_corpus_is_known_by_its_content(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 5)
    opened(tmp_path).prepare(clips, 2)
    (tmp_path / "corpus").rename(tmp_path / "moved")
    moved = [
        Clip(tmp_path / "moved" / c.path.name, c.label, c.speaker, "savee", "en") for c in clips
    ]
    assert opened(tmp_path).prepare(moved, 2) == moved
    assert len(described) == 5 * 2


def test_length_is_that_of_what_the_model_hears(tmp_path: Path) -> None:
    clips = recorded(tmp_path, 1)
    cache = opened(tmp_path)
    cache.prepare(clips, 1)
    assert cache.length_s(clips[0]) == pytest.approx(0.3 + 0.4 + 0.2, abs=1 / cache.per_s)
    assert cache.per_s == 12.5


def test_several_processes_find_what_one_finds(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(cache_module, "PER_SHARD", 3)
    clips = recorded(tmp_path, 6)
    alone, together = (
        opened(tmp_path / name, encoder=small_encoder(), workers=workers)
        for name, workers in (("a", 1), ("b", 2))
    )
    for cache in (alone, together):
        cache.prepare(clips, 1)
    for clip in clips:
        np.testing.assert_array_equal(alone.get(clip, 0), together.get(clip, 0))


# --- kills, damage and change


def test_it_goes_on_where_it_was_killed(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 16)
    opened(tmp_path).prepare(clips, 1)
    kept = sorted((tmp_path / "cache").glob("*.shard"))
    assert len(kept) == 4
    for path in kept[::2]:
        path.unlink()
    (tmp_path / "cache" / "half.shard.1.part").write_bytes(b"cut off")
    described.clear()
    cache = opened(tmp_path)
    assert cache.prepare(clips, 1) == clips
    assert len(described) == 8
    assert all(len(cache.get(clip, 0)) for clip in clips)


def test_a_killed_process_leaves_whole_shards_and_no_workers(tmp_path: Path) -> None:
    recorded(tmp_path, 60)
    script = tmp_path / "prepare.py"
    script.write_text(
        "import sys; from pathlib import Path; import numpy as np\n"
        "from training.sound import cache; from training.corpora import Clip\n"
        "cache.PER_SHARD = 2\n"
        "if __name__ == '__main__':\n"
        "    clips = [Clip(p, 'sad', 's', 'savee', 'en') for p in Path(sys.argv[1]).iterdir()]\n"
        "    noises = [np.ones(8000, np.float32)]\n"
        "    cache.FeatureCache(sys.argv[2], noises, noises, workers=2).prepare(clips, 60)\n"
    )
    folder = tmp_path / "cache"
    with open(tmp_path / "told", "w") as told:
        process = subprocess.Popen(
            [sys.executable, script, tmp_path / "corpus", folder],
            env={**os.environ, "PYTHONPATH": str(HOME), "OMP_NUM_THREADS": "1"},
            stderr=told,
            start_new_session=True,
        )
    try:
        wait_for(lambda: len(list(folder.glob("*.shard"))) >= 3 or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "told").read_text()
        process.kill()
        process.wait()
        wait_for(lambda: not in_session(process.pid))
    finally:
        if in_session(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    found = shards.Shards(folder)
    headers = [json.loads(path.read_bytes().partition(b"\n")[0]) for path in folder.glob("*.shard")]
    assert not found.missing([key for header in headers for key in header["keys"]])


def wait_for(happened, limit_s: float = 60) -> None:
    start = time.monotonic()
    while not happened():
        assert time.monotonic() - start < limit_s
        time.sleep(0.05)


def in_session(leader: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.append(int(path.parent.name))
    return found


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-50] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [cut_short, flip_a_bit, lambda path: path.write_bytes(b""), lambda p: p.write_bytes(b"[]\n")],
    ids=["cut short", "flipped bit", "empty", "foreign"],
)
def test_a_damaged_shard_is_computed_again(damage, tmp_path: Path, described, caplog) -> None:
    clips = recorded(tmp_path, 8)
    cache = opened(tmp_path)
    cache.prepare(clips, 1)
    expected = [cache.get(clip, 0) for clip in clips]
    damaged = min((tmp_path / "cache").glob("*.shard"))
    damage(damaged)
    described.clear()
    cache = opened(tmp_path)
    cache.prepare(clips, 1)
    assert len(described) == 4
    assert f"{damaged}: damaged" in caplog.text
    for clip, array in zip(clips, expected):
        np.testing.assert_array_equal(cache.get(clip, 0), array)
    opened(tmp_path).prepare(clips, 1)
    assert len(described) == 4


def test_a_damaged_memory_of_hashes_is_made_anew(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 3)
    opened(tmp_path).prepare(clips, 1)
    for content in (b"{", b"[]"):
        (tmp_path / "cache" / "contents.json").write_bytes(content)
        opened(tmp_path).prepare(clips, 1)
    assert len(described) == 3


def test_a_changed_file_is_described_again(tmp_path: Path, described) -> None:
    clips = recorded(tmp_path, 6)
    opened(tmp_path).prepare(clips, 2)
    record(clips[2].path, seed=99)
    described.clear()
    cache = opened(tmp_path)
    cache.prepare(clips, 2)
    assert len(described) == 2
    expected = steps.extract(as_live(load(clips[2].path)))
    np.testing.assert_allclose(cache.get(clips[2], 0), expected, rtol=2**-10, atol=1e-4)


# --- what cannot be read


def test_unreadable_files_are_reported_once_and_left_out(tmp_path: Path, caplog) -> None:
    clips = recorded(tmp_path, 5)
    clips[0].path.write_text("no sound")
    clips[1].path.write_bytes(b"")
    clips[2].path.unlink()
    record(clips[3].path, level=0.0)
    cache = opened(tmp_path)
    for _ in range(2):
        assert cache.prepare(clips, 2) == [clips[4]]
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(lines) == 4
    for clip, reason in zip(clips, ("not a readable", "not a readable", "No such file", "silent")):
        line = next(line for line in lines if line.startswith(f"{clip.path}: left out: "))
        assert reason in line
    assert len(cache.get(clips[4], 1))


def test_where_nothing_can_be_read_the_first_is_named(tmp_path: Path) -> None:
    clips = recorded(tmp_path, 2)
    for clip in clips:
        clip.path.write_text("no sound")
    with pytest.raises(DataError, match=f"none of 2 recordings can be read.*{clips[0].path}: not"):
        opened(tmp_path).prepare(clips, 1)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    clips = recorded(tmp_path, 1)
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(DataError, match=f"{tmp_path / 'cache'}: cannot keep features there"):
        opened(tmp_path).prepare(clips, 1)


# --- conditions


def test_each_condition_is_of_each_clip(tmp_path: Path) -> None:
    clips = recorded(tmp_path, 3)
    cache = opened(tmp_path)
    cache.prepare(clips, 1)
    for name in (*CONDITIONS, *NOT_FEELINGS):
        assert len(cache.condition(clips, name)) == 3
    for clean, clip in zip(cache.condition(clips, "clean"), clips):
        np.testing.assert_array_equal(clean, cache.get(clip, 0))
    for noisy, clip in zip(cache.condition(clips, "noise 10 dB"), clips):
        assert np.abs(noisy - cache.get(clip, 0)).max() > 5


def test_a_clip_too_quiet_for_a_condition_is_reported_and_stands_as_it_is(
    tmp_path: Path, caplog
) -> None:
    clips = recorded(tmp_path, 2)
    record(clips[0].path, level=2e-4)
    cache = opened(tmp_path)
    assert cache.prepare(clips, 1) == clips
    quiet, loud = cache.condition(clips, "gain -30 dB")
    np.testing.assert_array_equal(quiet, cache.get(clips[0], 0))
    assert len(loud)
    assert f"{clips[0].path}: gain -30 dB: the audio is silent" in caplog.text
    assert str(clips[1].path) not in caplog.text


def test_an_unknown_condition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown condition 'windy', expected one of clean"):
        opened(tmp_path).condition([], "windy")
