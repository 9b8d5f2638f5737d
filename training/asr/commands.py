"""What the commands of `python -m training asr` do, and how they are called."""

import argparse
import logging
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
from tqdm import tqdm

from training.asr import digits, files, manifest, spelling, synthetic
from training.asr.evaluate import Score, conditions, score
from training.asr.finetune import check, split
from training.asr.finetune import finetune as run_finetune
from training.asr.train import CONFIG
from training.asr.train import train as run_train
from training.corpora.noise import read_noise
from training.parallel import steps_bar
from utils.checkpoint import check_place
from utils.command_line.output import counted
from utils.errors import DataError

WEIGHTS = Path(__file__).resolve().parents[2] / "model_state_dict" / "spoken_digits.nemo"


def train(options: argparse.Namespace) -> None:
    """Train on all voices but one, test on that, and save the model with its figures."""
    writable(options.weights)
    parts = digits.split(digits.read(options.speech), options.held_out)
    unheard(options.held_out, options.start)
    noises = read_noise(options.noise)
    made = _made(options.runs / "espeak")
    folder = options.runs / f"asr-digits-{options.held_out}-{options.seed}"
    with steps_bar(CONFIG.steps, "training") as progress:
        model = run_train(
            parts, made, noises, CONFIG, options.seed, folder, progress, options.start
        )
    facts = {
        "recipe": asdict(CONFIG),
        "seed": options.seed,
        "speakers": sorted({digit.speaker for digit in parts.train}),
        "held_out": options.held_out,
        "synthetic_voices": len({digit.speaker for digit in synthetic.split(made)[0]}),
        "started_from": options.start.name if options.start else "",
    }
    files.save(model, options.weights, facts)
    scores = _judged(options.weights, parts.held_out, noises)
    files.save(model, options.weights, facts | {"judged": figures(scores)})
    print(f"{options.weights}: {options.weights.stat().st_size / 1e6:.2f} MB")


def _made(folder: Path) -> tuple[digits.Digit, ...]:
    """The synthesiser's voices; none, with a word on how to get them, where it is missing."""
    if problem := synthetic.missing():
        logging.warning("%s", problem)
        return ()
    with tqdm(total=synthetic.N_VOICES, desc="voices by espeak-ng", disable=None) as bar:
        return synthetic.make(folder, bar.update)


def unheard(speaker: str, start: Path | None) -> None:
    """Find out whether a voice can still test what is trained from `start` on.

    Raises
    ------
    DataError : a model that heard the voice, or of which nobody knows
    """
    if start is None:
        return
    facts = files.facts(start)
    if "speakers" not in facts or speaker in facts["speakers"]:
        raise DataError(
            f"{start}: was trained on {', '.join(facts.get('speakers', ['voices unknown']))}; "
            f"expected a model that `asr train` made with --held-out {speaker}"
        )


def evaluate(options: argparse.Namespace) -> None:
    """Stream the voice that a model never heard through the whole program."""
    facts = files.facts(options.weights)
    if "held_out" not in facts:
        raise DataError(
            f"{options.weights}: does not say which voice it never heard, expected a model "
            "that `asr train` made"
        )
    parts = digits.split(digits.read(options.speech), facts["held_out"])
    _judged(options.weights, parts.held_out, read_noise(options.noise))


def finetune(options: argparse.Namespace) -> None:
    """Fine-tune a pretrained model on an operator's own recordings."""
    from utils.asr.nemo.load import load

    writable(options.weights)
    with tqdm(desc="reading recordings", unit="line", disable=None) as bar:
        lines, problems = manifest.read(options.manifest, bar.update)
    for problem in problems:
        logging.warning("left out: %s", problem)
    model = load(options.start)
    check(model, options.start)
    lines, lowered = spelling.fitted(model.tokenizer, lines)
    if lowered:
        logging.info("texts were put into lower case, as the model writes")
    rest, held, speakers = split(lines, options.seed)
    logging.info(
        "%d recordings to train on, held out: %d%s",
        len(rest),
        len(held),
        f", all that {', '.join(speakers)} said" if speakers else "",
    )
    bar = tqdm(desc="training", unit="step", disable=None)

    def progress(done: int, total: int, loss: float) -> None:
        bar.total = total
        bar.update(done - bar.n)
        bar.set_postfix(loss=f"{loss:.2f}", refresh=False)

    folder = options.runs / f"asr-{options.start.stem}-{options.manifest.stem}-{options.seed}"
    with bar:
        result = run_finetune(model, rest, held, options.epochs, options.seed, folder, progress)
    facts = files.facts(options.start) | {
        "finetuned_from": options.start.name,
        "recordings": len(rest),
        "wer_before": round(result.before, 4),
        "wer_after": round(result.after, 4),
    }
    files.save(result.model, options.weights, facts, files.decoding(options.start))
    print(
        f"held-out part: WER {100 * result.before:.1f} % before, {100 * result.after:.1f} % after\n"
        f"{options.weights}: {options.weights.stat().st_size / 1e6:.1f} MB"
    )
    if result.after > result.before:
        print("That is worse than before: keep the model that you had.")


def figures(scores: list[Score]) -> dict[str, dict[str, float]]:
    """What a model's file says of each test."""
    return {
        s.name: {
            "words": s.words,
            "wer": round(s.wer, 4),
            "late_s": round(float(np.median(s.late_s)), 3) if s.late_s else 0.0,
        }
        for s in scores
    }


def _judged(path: Path, held_out: tuple[digits.Digit, ...], noises: list[Path]) -> list[Score]:
    """Test a model on a voice, and print the figures."""
    from utils.asr.nemo.transcriber import NemoTranscriber

    transcriber = NemoTranscriber(str(path))
    scores = []
    print(f"{path.name}, {held_out[0].speaker}, streamed through the whole program:")
    for name, utterances in conditions(held_out, noises):
        began = time.monotonic()
        with tqdm(total=len(utterances), desc=name, leave=False, disable=None) as bar:
            found = score(name, utterances, transcriber, bar.update)
        took = timedelta(seconds=round(time.monotonic() - began))
        words = counted(found.words, "word")
        print(
            f"  {name:<30} WER {100 * found.wer:5.2f} % of {words} (wrong {found.sub}, "
            f"too many {found.ins}, missing {found.del_}), time told {_late(found)}, took {took}"
        )
        scores.append(found)
    transcriber.close()
    return scores


def _late(found: Score) -> str:
    if not found.late_s:
        return "unknown"
    low, middle, high = np.percentile(found.late_s, [5, 50, 95])
    return f"{middle:+.2f} s from the word's end (5 to 95 %: {low:+.2f} to {high:+.2f})"


def writable(path: Path) -> None:
    """Find out before hours of training whether a file can be written.

    Raises
    ------
    DataError : not a .nemo file, or no such folder
    ModelError : nothing can be written there
    """
    if path.suffix != ".nemo" or not path.parent.is_dir():
        raise DataError(f"{path}: expected a file FILE.nemo in a folder that exists")
    check_place(path)
