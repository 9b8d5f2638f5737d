"""`python -m training`: train the shipped weights, or judge the recipe on unheard voices."""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from emotion_model import WEIGHTS, EmotionRecognizer
from training import evaluate
from training.cache import FeatureCache
from training.corpora import LABELS, Clip, read_noise, read_ravdess, read_tess
from training.evaluate import Report
from training.splits import crossval
from training.train import TrainConfig, logits, test, train
from utils import audio
from utils.errors import AppError

N_VOICELESS = 400
SHOWN_THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8)
HELD_OUT_NOISE = "5-"  # ESC-10's own fold: heard in no training, asked about in the test


class Bench:
    """The corpora and their features, read once for all runs of a command."""

    def __init__(self, corpora: Path, cache: Path, config: TrainConfig) -> None:
        by_corpus = {
            "ravdess": read_ravdess(corpora / "ravdess"),
            "tess": read_tess(corpora / "tess"),
        }
        noises = read_noise(corpora.parent / "noise" / "esc10")
        heard = [p for p in noises if not p.name.startswith(HELD_OUT_NOISE)]
        unheard = [p for p in noises if p.name.startswith(HELD_OUT_NOISE)]
        self.config = config
        self.clips: list[Clip] = [c for clips in by_corpus.values() for c in clips]
        self.cache = FeatureCache(cache, _load_noises(heard))
        for corpus, clips in by_corpus.items():
            self.cache.prepare(clips, dict(config.variants)[corpus])
        self.voiceless = self.cache.meaningless(N_VOICELESS, seed=1)
        self.unheard = FeatureCache(cache, _load_noises(unheard)).meaningless(N_VOICELESS, seed=2)

    def crossval(self, seed: int) -> list[tuple[Report, Report, np.ndarray]]:
        """For each fold: RAVDESS, TESS, and logits of unheard sounds without a voice."""
        results = []
        for fold, split in enumerate(crossval(self.clips), start=1):
            model = train(
                split.train, self.cache, self.voiceless, self.config,
                seed, _progress(f"seed {seed} fold {fold}", self.config.steps),
            )  # fmt: skip
            parts = [[c for c in split.test if c.corpus == name] for name in ("ravdess", "tess")]
            ravdess, tess = (test(model, part, self.cache) for part in parts)
            results.append((ravdess, tess, logits(model, self.unheard)))
        return results


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 1 where the corpora are not what they should be."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("command", choices=["train", "crossval"])
    parser.add_argument("--corpora", type=Path, required=True, metavar="DIR",
                        help="holds ravdess/ and tess/; noise/esc10 lies beside it")  # fmt: skip
    parser.add_argument("--cache", type=Path, default=Path(".cache/features"), metavar="DIR",
                        help="keeps computed features (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=1, metavar="N",
                        help="runs of the cross-validation (default: %(default)s)")  # fmt: skip
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    try:
        bench = Bench(options.corpora, options.cache, TrainConfig())
        facts = _judge(bench, options.seeds)
        if options.command == "train":
            _ship(bench, facts)
    except AppError as err:
        print(err, file=sys.stderr)
        return 1
    return 0


def _judge(bench: Bench, n_seeds: int) -> dict:
    """Cross-validate, print the table, and return its figures with the calibration."""
    runs = [bench.crossval(seed) for seed in range(n_seeds)]
    ravdess = [[fold[0] for fold in run] for run in runs]
    tess = evaluate.pool([fold[1] for run in runs for fold in run])
    voiceless = np.concatenate([fold[2] for run in runs for fold in run])
    pooled = evaluate.pool([report for run in ravdess for report in run])
    temperature = evaluate.fit_temperature(pooled)
    threshold = evaluate.choose_threshold(pooled, temperature)
    uars = [evaluate.pool(run).uar for run in ravdess]
    facts = {
        "seeds": n_seeds,
        "steps": bench.config.steps,
        "ravdess": _figures(pooled, temperature, threshold),
        "ravdess_uar_by_seed": [round(u, 4) for u in uars],
        "ravdess_uar_by_fold": [
            round(float(np.mean([report.uar for report in fold])), 4) for fold in zip(*ravdess)
        ],
        "ravdess_ece_crossfitted": round(_crossfitted_error(ravdess), 4),
        "tess_uar_by_seed": [
            round(evaluate.pool([fold[1] for fold in run]).uar, 4) for run in runs
        ],
        "tess": _figures(tess, temperature, threshold),
        "temperature": round(temperature, 4),
        "threshold": threshold,
        "voiceless_named": round(
            float((evaluate.softmax(voiceless / temperature).max(axis=1) >= threshold).mean()), 4
        ),
    }
    print(json.dumps(facts, indent=2))
    return facts


def _figures(report: Report, temperature: float, threshold: float) -> dict:
    """The figures of one corpus, as plain numbers."""

    def shown(least: float) -> list[float]:
        return [round(x, 4) for x in evaluate.precision_coverage(report, temperature, least)]

    return {
        "n": len(report.truth),
        "uar": round(report.uar, 4),
        "accuracy": round(report.accuracy, 4),
        "recall": dict(zip(LABELS, report.recall.round(4).tolist())),
        "confusion": report.confusion.tolist(),
        "ece": round(evaluate.calibration_error(report, temperature), 4),
        "ece_uncalibrated": round(evaluate.calibration_error(report, 1.0), 4),
        "precision_coverage": {
            str(least): shown(least) for least in (*SHOWN_THRESHOLDS, threshold)
        },
    }


def _crossfitted_error(runs: list[list[Report]]) -> float:
    """Mean calibration error of each fold at a temperature fitted on the other folds."""
    errors = []
    for run in runs:
        for k, held_out in enumerate(run):
            others = evaluate.pool(run[:k] + run[k + 1 :])
            errors.append(evaluate.calibration_error(held_out, evaluate.fit_temperature(others)))
    return float(np.mean(errors))


def _ship(bench: Bench, facts: dict) -> None:
    """Train on every voice, and save with the calibration found on unheard ones."""
    model = train(
        bench.clips, bench.cache, bench.voiceless, bench.config,
        seed=0, progress=_progress("all voices", bench.config.steps),
    )  # fmt: skip
    facts = {**facts, "recipe": asdict(bench.config), "corpora": ["RAVDESS", "TESS"]}
    EmotionRecognizer(
        model, LABELS, bench.cache.config, facts["temperature"], facts["threshold"], facts
    ).save(WEIGHTS)
    print(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e6:.2f} MB")


def _load_noises(paths: list[Path]) -> list[np.ndarray]:
    """Noises without the digital silence that some clips are filled up with."""
    noises = [samples[samples != 0] for samples in map(audio.load, paths)]
    return [noise for noise in noises if len(noise) >= audio.SAMPLE_RATE // 2]


def _progress(what: str, steps: int) -> Callable[[int, float], None]:
    """Say every fifth of a run how far it is."""
    start = time.monotonic()

    def report(step: int, loss: float) -> None:
        if step % max(1, steps // 5) == 0:
            seconds = time.monotonic() - start
            print(f"{what}: step {step}/{steps}, loss {loss:.3f}, {seconds:.0f} s", flush=True)

    return report


if __name__ == "__main__":
    sys.exit(main())
