"""Training a denoiser learns, repeats, and goes on after a kill as if nothing had happened."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.emotion.test_features import voice
from training.run import STATE
from training.sound import denoiser as denoise
from training.sound.denoiser import DenoiseConfig, off_db, train_denoiser
from utils.audio import SAMPLE_RATE, load
from utils.emotion import features
from utils.emotion.denoiser import Bands, Denoiser, to_bands, to_frames
from utils.errors import DataError

DATA = Path(__file__).resolve().parents[1] / "data"
HISS = 0.05 * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE).astype(np.float32)
NOISES = [features.extract(HISS), features.extract(np.diff(HISS))]
SPOKEN = [load(DATA / name) for name in ("speech.flac", "digits.flac")]
SPEECH = [features.extract(samples) for samples in [*SPOKEN, voice(2.0, 110), voice(0.4, 200)]]
CONFIG = DenoiseConfig(steps=12, batch_size=4, longest=60, every=4)


def run(
    folder: Path,
    config: DenoiseConfig = CONFIG,
    progress: Callable[[int, float], None] = lambda step, off: None,
    speech: list[np.ndarray] = SPEECH,
    noises: list[np.ndarray] = NOISES,
) -> Denoiser:
    return train_denoiser(speech, noises, config, folder, progress)


def killed_at(last: int) -> Callable[[int, float], None]:
    def progress(step: int, off: float) -> None:
        if step == last:
            raise KeyboardInterrupt

    return progress


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Denoiser, dict[int, float]]:
    """What a run that nobody killed ends with, and by how much it was off at each step."""
    off: dict[int, float] = {}
    return run(tmp_path_factory.mktemp("whole"), progress=off.__setitem__), off


# --- what comes out


def test_it_learns_to_hear_through_noise(tmp_path: Path) -> None:
    samples, other_hiss = load(DATA / "angry.flac"), np.roll(HISS, 777)
    clean = features.extract(samples)
    noise = np.resize(other_hiss, len(samples)) * np.std(samples) / np.std(HISS) / 2
    noisy = features.extract(samples + noise.astype(np.float32))
    model = run(tmp_path / "new" / "run", replace(CONFIG, steps=80, batch_size=8))
    assert not model.training
    before, after = off_db([noisy], [clean]), off_db([model.clean(noisy)], [clean])
    assert before > 5
    assert after < 0.7 * before


def test_it_repeats_whatever_else_drew_random_numbers(whole, tmp_path: Path) -> None:
    torch.rand(5)
    np.random.default_rng(0).random()
    assert run(tmp_path).identity() == whole[0].identity()
    assert Denoiser().identity() != whole[0].identity()


def test_more_steps_are_another_denoiser(whole, tmp_path: Path) -> None:
    longer = run(tmp_path, replace(CONFIG, steps=13))
    assert longer.identity() != whole[0].identity()


# --- the state to go on from


@pytest.mark.parametrize("last", [2, 4, 7, 12])
def test_a_killed_run_goes_on_as_if_it_had_not_been(last: int, whole, tmp_path: Path) -> None:
    expected, off = whole
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, progress=killed_at(last))
    rest: dict[int, float] = {}
    assert run(tmp_path, progress=rest.__setitem__).identity() == expected.identity()
    assert min(rest) == (last - 1) // CONFIG.every * CONFIG.every + 1
    assert rest == {step: off[step] for step in rest}


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    config = replace(CONFIG, steps=6)  # the last state is not kept by the way
    first = run(tmp_path, config)
    assert run(tmp_path, config, progress=killed_at(1)).identity() == first.identity()
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


@pytest.mark.parametrize(
    "change",
    [
        {"speech": SPEECH[1:]},
        {"speech": [SPEECH[0] + np.float32(1e-3), *SPEECH[1:]]},
        {"noises": NOISES[:1]},
        {"config": replace(CONFIG, learning_rate=1e-3)},
    ],
    ids=["fewer voices", "another voice", "noises", "recipe"],
)
def test_a_state_of_something_else_is_not_taken(change: dict, tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    run(tmp_path)
    steps: list[int] = []
    run(tmp_path, progress=lambda step, _: steps.append(step), **change)
    assert steps == list(range(1, CONFIG.steps + 1))
    assert f"{tmp_path / STATE}: of another recipe or other voices" in caplog.text


def test_a_damaged_state_starts_anew_and_says_so(whole, tmp_path: Path, caplog) -> None:
    run(tmp_path)
    path = tmp_path / STATE
    path.write_bytes(path.read_bytes()[:-3000])
    assert run(tmp_path).identity() == whole[0].identity()
    assert f"{path}: cannot be read" in caplog.text


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=f"{tmp_path}/file/run: cannot be made .*--runs"):
        run(tmp_path / "file" / "run")


# --- how far off


def test_the_distance_is_that_of_mel_bands() -> None:
    assert off_db(SPEECH, SPEECH) == 0
    louder = [frames.copy() for frames in SPEECH]
    for frames in louder:
        frames[:, 0] += 3 * np.sqrt(features.DEFAULT_CONFIG.n_mels)  # 3 dB in every band
        frames[:, -1] += 20  # which is no band
    assert off_db(louder, SPEECH) == pytest.approx(3, rel=1e-4)
    assert off_db([*louder, *SPEECH], SPEECH + SPEECH) == pytest.approx(3 / np.sqrt(2), rel=1e-4)


# --- mixtures


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has all draws disturbed in some ways, and none in the others."""

    def only(**shares: float) -> None:
        for name in ("IN_A_ROOM", "IN_NOISE", "TILTED"):
            monkeypatch.setattr(denoise, name, shares.get(name, 0.0))
        monkeypatch.setattr(denoise, "AS_IT_IS", 0.0)
        throat = shares.get("throat", 1.0)
        monkeypatch.setattr(denoise, "THROATS", (throat, throat))

    return only


def batch_of(speech: list[np.ndarray], n: int = 16) -> tuple[torch.Tensor, torch.Tensor, Bands]:
    backgrounds = [to_bands(torch.from_numpy(noise)) for noise in NOISES]
    config = replace(CONFIG, batch_size=n)
    return denoise._batch(speech, backgrounds, config, np.random.default_rng(0))


def energy(bands: Bands) -> torch.Tensor:
    return bands.energy.sum(dim=1)


def test_undisturbed_speech_comes_through(only) -> None:
    only()
    speech = [frames[:60] for frames in SPEECH]
    frames, lengths, clean = batch_of(speech)
    torch.testing.assert_close(to_frames(clean, lengths), frames, atol=0.01, rtol=1e-3)
    levelled = [Denoiser().eval().clean(array) for array in speech]
    for row, length in zip(frames, lengths):
        own = [array for array in levelled if len(array) == length]
        assert min(np.abs(row[:length].numpy() - array).max() for array in own) < 0.01
        assert (row[length:] == 0).all()


def test_some_draws_stay_as_they_are(monkeypatch) -> None:
    monkeypatch.setattr(denoise, "AS_IT_IS", 1.0)
    frames, lengths, clean = batch_of(SPEECH)
    torch.testing.assert_close(to_frames(clean, lengths), frames, atol=0.01, rtol=1e-3)


def test_an_example_is_of_one_piece_and_not_too_long(only) -> None:
    only()
    counted = SPEECH[1].copy()
    counted[:, -2] = np.linspace(0, 1, len(counted))  # the zero-crossing rate tells the time
    frames, lengths, _ = batch_of([counted])
    assert set(lengths.tolist()) == {CONFIG.longest}
    steps = frames[..., -2].diff(dim=1)
    torch.testing.assert_close(steps, torch.full_like(steps, 1 / (len(counted) - 1)))
    assert len(set(frames[:, 0, -2].tolist())) > 10  # from anywhere in a recording


def test_noise_has_the_level_that_was_drawn(only, monkeypatch) -> None:
    only(IN_NOISE=1.0)
    monkeypatch.setattr(denoise, "SNR_DB", (10.0, 10.0))
    frames, lengths, clean = batch_of(SPEECH)
    own = torch.arange(frames.shape[1]) < lengths[:, None]
    found = to_bands(frames)
    ratio = energy(found._replace(energy=found.energy * own)) / energy(clean) - 1
    torch.testing.assert_close(ratio, torch.full_like(ratio, 0.1), atol=0.01, rtol=0.05)


def test_noise_is_mixed_as_sounds_mix(only, monkeypatch) -> None:
    """The mean of each band is that of a mixture of samples, give or take what chance does."""
    only(IN_NOISE=1.0)
    monkeypatch.setattr(denoise, "SNR_DB", (10.0, 10.0))
    samples = np.tile(SPOKEN[0], 2)[: 2 * SAMPLE_RATE]
    spoken = features.extract(samples)
    noise = HISS * np.sqrt(np.square(samples).mean() / np.square(HISS).mean() / 10)
    expected = to_bands(torch.from_numpy(features.extract(samples + noise))[None])
    backgrounds = [to_bands(torch.from_numpy(NOISES[0]))]
    config = replace(CONFIG, batch_size=8, longest=len(spoken))
    frames, _, _ = denoise._batch([spoken], backgrounds, config, np.random.default_rng(0))
    found = to_bands(frames)
    off = 10 * (found.power.mean(dim=(0, 1)) / expected.power.mean(dim=(0, 1))).log10()
    assert off.abs().max() < 1.5
    torch.testing.assert_close(found.energy.mean(), expected.energy.mean(), atol=0, rtol=0.1)
    crossings = (
        (found.zcr - expected.zcr).mean(),
        (expected.zcr - to_bands(torch.from_numpy(spoken)[None]).zcr).mean(),
    )
    assert abs(crossings[0]) < 0.5 * crossings[1]


def test_echoes_come_after_and_die_away(only) -> None:
    only(IN_A_ROOM=1.0)
    quiet = np.zeros((CONFIG.longest, SPEECH[0].shape[1]), np.float32)
    quiet[:, 0] = features.DEFAULT_CONFIG.floor_db * np.sqrt(features.DEFAULT_CONFIG.n_mels)
    quiet[:, -1] = features.RMS_FLOOR_DB
    shout = quiet.copy()
    shout[20:24] = SPEECH[0][100:104]
    frames, _, clean = batch_of([shout])
    found = to_bands(frames)
    direct = found.energy[:, 20:24].sum(dim=1)
    assert (found.energy[:, :20] < 1e-4 * direct[:, None]).all()
    for near, far in ((24, 34), (34, 44), (44, 54)):
        assert (found.energy[:, near] >= found.energy[:, far]).all()
        assert found.energy[:, near].mean() > 3 * found.energy[:, far].mean() > 0
    after = 10 * (energy(clean) / (energy(found) - energy(clean))).log10()
    least, most = denoise.DIRECT_DB
    assert least - 0.5 < after.min() < after.max() < most + 1.5  # some of it after the end
    assert after.max() - after.min() > 5


def test_other_microphones_change_speech_and_what_it_is_to_be(only) -> None:
    only(TILTED=1.0)
    speech = [SPEECH[0][40:100]]
    frames, lengths, clean = batch_of(speech)
    torch.testing.assert_close(to_frames(clean, lengths), frames, atol=0.01, rtol=1e-3)
    bands = frames[..., : features.DEFAULT_CONFIG.n_mfcc].mean(dim=1)
    assert (bands.std(dim=0)[1:4] > 3).all()  # the lowest waves differ
    assert (bands.std(dim=0)[20:] < 3).all()  # and the shape of a vowel does not


@pytest.mark.parametrize("throat", [0.85, 1.0, 1.18])
def test_other_throats_sound_higher_or_lower(throat: float, only) -> None:
    only(throat=throat)
    tone = SPEECH[0][40:100].copy()
    _, _, dct = features.bases(features.DEFAULT_CONFIG)
    bands = np.where(np.arange(features.DEFAULT_CONFIG.n_mels) == 40, 20, 0)
    tone[:, : features.DEFAULT_CONFIG.n_mfcc] = bands.astype(np.float32) @ dct
    frames, lengths, clean = batch_of([tone])
    torch.testing.assert_close(to_frames(clean, lengths), frames, atol=0.01, rtol=1e-3)
    assert (clean.power.argmax(dim=2) == round(40 * throat)).all()
