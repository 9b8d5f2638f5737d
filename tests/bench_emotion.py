"""What emotion costs, and how steady its tag is while a line grows."""

import itertools
import time

from emotion_model import EmotionRecognizer
from tests.measuring import SPEECH, frames, spread, table, utterances
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.segmenter import Segmenter
from utils.captions.vad import VoiceActivity
from utils.tags.emotion import EmotionTag


def bench_emotion(every: int) -> None:
    """Time of an estimate; how often a tag changes before its line is finished."""
    emotions = EmotionRecognizer.load()
    samples = audio.load(next(SPEECH.glob("*.ogg")))[: 3 * SAMPLE_RATE]
    times_ms = []
    for _ in range(50):
        began = time.perf_counter()
        emotions.predict(samples)
        times_ms.append(1000 * (time.perf_counter() - began))
    segments = running_labels(emotions, every)
    tagged = [shown for shown in segments if any(shown[:-1])]
    changes = sum(map(changes_while_growing, tagged))
    kept = sum(shown[-1] == shown[-2] for shown in tagged)
    table(
        "Emotion",
        [
            ("a 3 s segment, features and network", spread(times_ms, "ms")),
            ("segments with a tag before their end", f"{len(tagged)} of {len(segments)}"),
            ("changes of such a tag while its segment grows", f"{changes} in {len(tagged)}"),
            ("such tags that are the final ones", f"{kept} of {len(tagged)}"),
        ],
    )


def running_labels(emotions: EmotionRecognizer, every: int) -> list[list[str | None]]:
    """What each segment showed after each of its chunks, and in the end."""
    segmenter, start, found = Segmenter(VoiceActivity()), 0, []
    for samples, _ in utterances(every):
        chunks = [chunk for frame in frames(samples, start) for chunk in segmenter.push(frame)]
        chunks += segmenter.flush()
        start += len(samples)
        for _, segment in itertools.groupby(chunks, key=lambda chunk: chunk.segment):
            running, known = EmotionTag(emotions), list(segment)
            shown = [running.grow(chunk.samples) for chunk in known]
            shown.append(running.finish(known[-1].samples))
            found.append([emotion.label if emotion else None for emotion in shown])
    return found


def changes_while_growing(shown: list[str | None]) -> int:
    """How often what was shown changed after a first label, the final estimate left out."""
    growing = list(itertools.dropwhile(lambda label: label is None, shown[:-1]))
    return sum(a != b for a, b in itertools.pairwise(growing))
