"""Small corpora of real files, laid out as their makers published them."""

from pathlib import Path

import soundfile

from tests.emotion.test_features import voice
from utils.audio import SAMPLE_RATE

ACTORS, POLISH, KOREAN, GERMAN = range(1, 6), ("AO0", "WR0"), ("ema", "nea"), ("03", "08")
N_CLIPS = {"ravdess": 40, "tess": 14, "nemo-polish": 12, "korean-emotional": 8, "emodb": 12}
READERS = ("1272-128104", "1462-170138", "84-121123")  # the second is heard in no training
N_READ = 2  # recordings of each


def record(path: Path, seed: int, duration_s: float = 0.7) -> None:
    """Something like a vowel; another seed, another pitch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, voice(duration_s, 100 + 9 * (seed % 17), seed), SAMPLE_RATE)


def record_all(folder: Path) -> None:
    """All five corpora, the noise and the readers, laid out as their makers published them."""
    names = [
        f"ravdess/Actor_{actor:02d}/03-01-{emotion:02d}-01-01-01-{actor:02d}.wav"
        for actor in ACTORS
        for emotion in range(1, 9)
    ]
    said = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
    names += [f"tess/{who}_{e}/{who}_back_{e}.wav" for who in ("OAF", "YAF") for e in said]
    felt = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
    names += [f"nemo-polish/samples/{who}_{e}_1.wav" for who in POLISH for e in felt]
    spoken = {"00001": "neutral", "00101": "happy", "00201": "angry", "00301": "sad"}
    names += [f"korean-emotional/{who}/{who}{n}.wav" for who in KOREAN for n in spoken]
    names += [f"emodb/wav/{who}a01{e}a.wav" for who in GERMAN for e in "WEAFTN"]
    for seed, name in enumerate(names):
        record(folder / "corpora" / name, seed)
    for seed, name in enumerate(("rain/1-17367-A.wav", "rooster/5-1-B.wav")):
        record(folder / "noise" / "esc10" / name, seed, duration_s=1.5)
    for seed, name in enumerate(f"{who}-{k:04d}.flac" for who in READERS for k in range(N_READ)):
        record(folder / "speech" / "librispeech-dev-clean" / name, seed, duration_s=1.0)
    rows = [f"{who}_{e}_1\t{e}\t{who}\tmale" for who in POLISH for e in felt]
    table(folder / "corpora/nemo-polish/data.tsv", "file_id\temotion\tspeaker_id\tgender", *rows)
    rows = [f"{who}/{who}{n}.wav,{e},{who}" for who in KOREAN for n, e in spoken.items()]
    table(folder / "corpora/korean-emotional/manifest.csv", "path,emotion,speaker_id", *rows)


def table(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
