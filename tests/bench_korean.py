"""What Vosk makes of Korean: words, joined or not, cost, and how its growing text changes.

`bench_korean` prints the tables. Half of the speakers served to choose the rules and the
settings; the others are the ones to judge by.
"""

import csv
import time
from collections.abc import Iterable
from unittest.mock import patch

import jiwer
import numpy as np

from tests.feeding import Fed
from tests.measuring import SHARED, table
from utils import audio
from utils.asr.vosk import korean
from utils.asr.vosk.transcriber import VoskTranscriber
from utils.audio import SAMPLE_RATE
from utils.captions.steady import Corrections, SteadyText
from utils.events import Transcription
from utils.words import changed

CORPUS = SHARED / "corpora" / "korean-emotional"
TUNED_ON = frozenset(("ema", "emf", "nea", "nec"))
FRAME = 512
SETTLE_S = (0.0, 0.2, 0.3, 0.4, 0.6)


def clips() -> list[dict[str, str]]:
    with open(CORPUS / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def plain(text: str) -> str:
    """Words without punctuation."""
    return " ".join(filter(None, map(letters, text.split())))


def characters_wrong(pairs: Iterable[tuple[str, str]]) -> str:
    said, heard = zip(*pairs, strict=True)
    wrong = jiwer.cer([letters(text) for text in said], [letters(text) or "-" for text in heard])
    return f"{wrong:.1%}"


def words_wrong(pairs: Iterable[tuple[str, str]]) -> str:
    said, heard = zip(*pairs, strict=True)
    return f"{jiwer.wer([plain(text) for text in said], [plain(text) for text in heard]):.1%}"


def bench_korean() -> None:
    transcriber = VoskTranscriber()
    rows = clips()
    unheard = [row for row in rows if row["speaker_id"] not in TUNED_ON]
    cpu_s = sound_s = 0.0
    pairs: dict[str, list[tuple[str, str]]] = {}
    steps: list[tuple[str, list[tuple[int, str]]]] = []
    for row in rows:
        samples = audio.load(CORPUS / row["path"])
        sound_s += len(samples) / SAMPLE_RATE
        began = time.process_time()
        growing, final = hear(transcriber, samples)
        cpu_s += time.process_time() - began
        steps.append((row["text"], growing))
        pairs.setdefault(row["speaker_id"], []).append((row["text"], final))
    judged = [pair for speaker in pairs if speaker not in TUNED_ON for pair in pairs[speaker]]
    every = [pair for heard in pairs.values() for pair in heard]
    unjoined = [(row["text"], as_units(transcriber, row)) for row in unheard]
    table(
        f"Korean, acted: {len(rows)} clips of {len(pairs)} speakers, {sound_s / 60:.0f} minutes",
        [
            ("characters wrong, all speakers", characters_wrong(every)),
            ("characters wrong, speakers that nothing was tuned on", characters_wrong(judged)),
            ("words wrong, speakers that nothing was tuned on", words_wrong(judged)),
            ("the same, morphemes not joined", words_wrong(unjoined)),
            ("words wrong, all speakers", words_wrong(every)),
            ("processor time per second of sound", f"{cpu_s / sound_s:.2f} s"),
            *((f"characters wrong, {who}", characters_wrong(own)) for who, own in pairs.items()),
        ],
    )
    table("Korean: growing text", [churn(steps, settle_s) for settle_s in SETTLE_S])
    transcriber.close()


def hear(transcriber: VoskTranscriber, samples: np.ndarray) -> tuple[list, str]:
    """The growing texts of a clip, each with the samples heard by then, and the final text."""
    stream, growing = Fed(transcriber.stream()), []
    for at in range(0, len(samples), FRAME):
        frame = samples[at : at + FRAME]
        growing.append((at + len(frame), stream.accept(frame)))
    final = stream.finish(len(samples))
    growing.append((len(samples), final.text))
    return growing, final.text


def as_units(transcriber: VoskTranscriber, row: dict[str, str]) -> str:
    """The text as the model writes it, numbers spelt."""
    with patch.object(korean, "hangs_on", lambda before, unit, after="": False):
        return hear(transcriber, audio.load(CORPUS / row["path"]))[1]


def churn(clips: Iterable[tuple[str, list[tuple[int, str]]]], settle_s: float) -> tuple[str, str]:
    """Words changed after being shown, how long a word waits to be shown, the finished lines."""
    n_changed = n_words = 0
    waits_s: list[float] = []
    corrections, lines = Corrections(), []
    for said, growing in clips:
        steady = SteadyText(settle_s, corrections)
        shown: list[str] = []
        first_heard: dict[int, int] = {}
        for n_samples, text in growing[:-1]:
            for place in range(len(text.split())):
                first_heard.setdefault(place, n_samples)
            words = steady.accept(text, n_samples).split() if settle_s else text.split()
            fresh = range(len(shown), min(len(words), len(first_heard)))
            waits_s += [(n_samples - first_heard[place]) / SAMPLE_RATE for place in fresh]
            n_changed += changed(shown, words)
            shown = words
        final = Transcription(growing[-1][1])
        line = (steady.finish(final) if settle_s else final).text.split()
        n_changed += changed(shown, line)
        n_words += len(line)
        lines.append((said, " ".join(line)))
    return (
        f"settled for {settle_s} s: words changed; wait for a word; finished lines wrong",
        f"{n_changed / n_words:.1%}; {sum(waits_s) / max(len(waits_s), 1):.2f} s; "
        f"characters {characters_wrong(lines)}, words {words_wrong(lines)}",
    )


if __name__ == "__main__":
    bench_korean()
