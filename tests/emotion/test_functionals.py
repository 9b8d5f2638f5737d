"""The functionals are what numpy finds in each clip alone, whatever it is padded with."""

import numpy as np
import pytest
import torch

from utils.emotion import spectrum
from utils.emotion.functionals import (
    LOUD_DB,
    MIN_LOUD,
    N_CEPSTRAL,
    N_CORRELATED,
    PARTS,
    PER_COLUMN,
    QUANTILES,
    functionals,
    n_functionals,
    n_timeless,
)

N_MFCC, N_FEATURES = 20, 25  # more coefficients than are looked at, and three further columns
N_COLUMNS = N_CEPSTRAL + N_FEATURES - N_MFCC + spectrum.N_COLUMNS
N_TIMELESS = n_timeless(N_FEATURES, N_MFCC)
FLUX = N_COLUMNS - spectrum.N_COLUMNS + 9  # the column that looks back at the frame before


def clip(n_frames: int, seed: int = 0) -> np.ndarray:
    """Random frames whose first and last fifth, and every ninth frame, are a pause."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(2.0, 5.0, (n_frames, N_FEATURES)).astype(np.float32)
    step = np.arange(n_frames)
    pause = (step < n_frames // 5) | (step >= n_frames - n_frames // 5) | (step % 9 == 8)
    frames[:, N_MFCC + 1] = np.where(pause, -38.0, -4.0) + rng.normal(0, 1, n_frames)
    return frames


def found(*clips: np.ndarray, padding: float = 0.0) -> np.ndarray:
    """Functionals of clips as one batch, (n, n_functionals)."""
    lengths = torch.tensor([len(c) for c in clips])
    frames = torch.full((len(clips), int(lengths.max()), clips[0].shape[1]), padding)
    for row, one in zip(frames, clips):
        row[: len(one)] = torch.from_numpy(one)
    return functionals(frames, lengths, N_MFCC).numpy()


def expected(frames: np.ndarray) -> np.ndarray:
    """The same of one clip, in numpy and float64."""
    shape = spectrum.describe(torch.from_numpy(frames[None, :, :N_MFCC]))[0].numpy()
    frames = frames.astype(np.float64)
    loud = frames[:, N_MFCC + 1] > LOUD_DB
    if loud.sum() < MIN_LOUD:
        loud[:] = True
    first, last = np.flatnonzero(loud)[[0, -1]]
    columns = np.delete(frames, range(N_CEPSTRAL, N_MFCC), axis=1)
    columns = np.column_stack([columns, shape.astype(np.float64)])
    speech, within = columns[loud], columns[first : last + 1]
    n_frames = len(within)
    change = np.diff(within, axis=0)
    part = np.arange(n_frames) * PARTS // n_frames
    values = [
        speech.mean(axis=0),
        speech.std(axis=0),
        *np.quantile(speech, QUANTILES, axis=0),
        np.abs(change).mean(axis=0),
        change.std(axis=0),
        np.diff(change, axis=0).std(axis=0),
    ]
    correlated = np.delete(frames, range(N_CORRELATED, N_MFCC), axis=1)[:, : N_CORRELATED + 2]
    pairs = np.triu_indices(N_CORRELATED + 2, 1)
    values.append(np.corrcoef(correlated[loud].T)[pairs])
    values.append([n_frames / 100, loud.sum() / n_frames, loud.sum() / 100])
    values += [within[part == k].mean(axis=0) for k in range(PARTS)]
    return np.concatenate(values)


@pytest.mark.parametrize("n_frames", [32, 60, 61, 333])
def test_values_are_those_of_numpy(n_frames: int) -> None:
    frames = clip(n_frames)
    np.testing.assert_allclose(found(frames)[0], expected(frames), rtol=1e-4, atol=1e-4)


def test_where_little_is_loud_all_frames_count() -> None:
    frames = clip(60)
    frames[:, N_MFCC + 1] = -39
    frames[20 : 20 + MIN_LOUD - 1, N_MFCC + 1] = 0
    np.testing.assert_allclose(found(frames)[0], expected(frames), rtol=1e-4, atol=1e-4)
    durations = slice(N_TIMELESS - 3, N_TIMELESS)
    assert found(frames)[0, durations][0] == pytest.approx(0.6)
    frames[20 : 20 + MIN_LOUD, N_MFCC + 1] = 0
    np.testing.assert_allclose(found(frames)[0, durations], [0.01 * MIN_LOUD, 1, 0.01 * MIN_LOUD])


@pytest.mark.parametrize("padding", [0.0, 1e4, -1e4])
def test_padding_and_company_change_nothing(padding: float) -> None:
    clips = [clip(n, seed=n) for n in (200, 7, 60, 31)]
    for one, row in zip(clips, found(*clips, padding=padding)):
        np.testing.assert_allclose(row, found(one)[0], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("n_frames", [1, 2, 7, 8])
def test_few_frames_give_finite_numbers(n_frames: int) -> None:
    assert np.isfinite(found(clip(n_frames))).all()
    assert np.isfinite(found(clip(n_frames), clip(90), padding=1e4)).all()


@pytest.mark.parametrize("level_db", [0.0, -39.0], ids=["loud", "quiet"])
def test_constant_columns_give_finite_numbers_and_no_change(level_db: float) -> None:
    frames = np.full((50, N_FEATURES), 3.25, np.float32)
    frames[:, N_MFCC + 1] = level_db
    row = found(frames)[0]
    assert np.isfinite(row).all()
    table = row[: PER_COLUMN * N_COLUMNS].reshape(PER_COLUMN, N_COLUMNS)
    same = [0, *range(2, 2 + len(QUANTILES))]
    column = np.delete(frames[0], range(N_CEPSTRAL, N_MFCC))
    shape = spectrum.describe(torch.from_numpy(frames[None, :, :N_MFCC]))[0, 0]
    column = np.concatenate([column, shape])
    np.testing.assert_allclose(table[same], np.tile(column, (len(same), 1)), rtol=1e-5)
    parts = row[N_TIMELESS:].reshape(PARTS, N_COLUMNS)
    np.testing.assert_allclose(parts, np.tile(column, (PARTS, 1)), rtol=1e-5)
    changing = [1, *range(2 + len(QUANTILES), PER_COLUMN)]
    np.testing.assert_allclose(table[changing], 0, atol=1e-5)
    pairs = row[PER_COLUMN * N_COLUMNS : N_TIMELESS - 3]
    np.testing.assert_allclose(pairs, 0, atol=1e-5)  # nothing goes together


def test_correlations_are_signed() -> None:
    frames = clip(100)
    frames[:, 1] = 2 * frames[:, 0]
    frames[:, 2] = -frames[:, 0]
    row = found(frames)[0, PER_COLUMN * N_COLUMNS :]
    np.testing.assert_allclose(row[:2], [1, -1], atol=1e-4)


@pytest.mark.parametrize(("n_features", "n_mfcc"), [(98, 96), (110, 96), (15, 13), (6, 4), (3, 1)])
def test_width_is_as_announced(n_features: int, n_mfcc: int) -> None:
    frames = torch.randn(2, 40, n_features)
    row = functionals(frames, torch.tensor([40, 30]), n_mfcc)
    assert row.shape == (2, n_functionals(n_features, n_mfcc))
    assert row.dtype == torch.float32
    assert (row.shape[1] - n_timeless(n_features, n_mfcc)) % PARTS == 0


def test_only_the_last_tell_when_a_thing_was_heard() -> None:
    """Backwards, the parts stand in another order and all before them stay as they are."""
    frames = clip(8 * 40)  # pauses at both ends are as long, and parts are of as many frames
    forth, back = found(frames)[0], found(np.ascontiguousarray(frames[::-1]))[0]
    parts, turned = (row[N_TIMELESS:].reshape(PARTS, N_COLUMNS) for row in (forth, back))
    others = np.delete(np.arange(N_COLUMNS), FLUX)
    np.testing.assert_allclose(turned[::-1, others], parts[:, others], rtol=1e-3, atol=1e-3)
    assert np.abs(turned - parts).max() > 1
    table = np.arange(PER_COLUMN * N_COLUMNS) % N_COLUMNS
    timeless = np.concatenate([table != FLUX, np.full(N_TIMELESS - len(table), True)])
    np.testing.assert_allclose(
        back[:N_TIMELESS][timeless], forth[:N_TIMELESS][timeless], rtol=1e-3, atol=1e-3
    )
