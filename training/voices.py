"""Bring the weights of Resemblyzer's encoder into the program's own file, fit to tell voices apart.

What is learnt here is the mean voice and how embeddings of one voice differ, as it is, in noise
and in rooms; whose voices are told apart later must not be among those that are heard here.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch

from training import corpora
from training.arguments import add_weights
from training.corpora import Clip, read_noise
from training.sound.augmentation import everyday, mix, reverberant
from training.sound.conditions import as_live
from utils import audio, checkpoint
from utils.checkpoint import Format
from utils.command_line.arguments import named_path
from utils.command_line.output import counted
from utils.errors import DataError
from utils.tags.voice_encoder import WEIGHTS, VoiceEncoder
from utils.tags.voices import PLACES

ABOUT = "make the model that tells voices apart of Resemblyzer's pretrained.pt"
SPEAKING = "ravdess", "tess", "emodb", "nemo-polish", "korean-emotional"
N_CLIPS = 20  # of each voice
LEFT_OUT = "rain"  # of the noises, which judges
SNR_DB = 5.0, 20.0
SHRINKAGE = 0.3  # of the covariance within a voice towards a multiple of the identity
POWER = 0.25  # of that covariance by which embeddings are divided; 0.5 is whitening in full


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Give `voices` its arguments."""
    command.set_defaults(run=make)
    command.add_argument(
        "pretrained", type=named_path, metavar="FILE", help="pretrained.pt of Resemblyzer 0.1.4"
    )
    command.add_argument(
        "--corpora",
        type=named_path,
        required=True,
        dest="folder",
        metavar="DIR",
        help=f"folder that holds {', '.join(SPEAKING)}",
    )
    command.add_argument("--noise", type=named_path, required=True, metavar="DIR", help="ESC-10")
    add_weights(command, WEIGHTS)


def make(options: argparse.Namespace) -> None:
    """Keep the weights in half precision, and what all voices have in common."""
    checkpoint.check_place(options.weights)
    try:  # an older kind of file than the program itself reads
        state = torch.load(options.pretrained, map_location="cpu", weights_only=True)["model_state"]
    except (OSError, LookupError, RuntimeError, TypeError, ValueError, UnpicklingError) as err:
        raise DataError(f"{options.pretrained}: not Resemblyzer's weights ({err})") from err
    weights = {k: v.half() for k, v in state.items() if k.startswith(("lstm.", "linear."))}
    facts = {"source": "Resemblyzer 0.1.4, Resemble AI, Apache-2.0", "corpora": list(SPEAKING)}

    def write(path: Path, centre: torch.Tensor, whitening: torch.Tensor) -> None:
        known = {"centre": centre.half(), "whitening": whitening.half()}
        content = {"weights": weights | known, "training": facts}
        checkpoint.write(path, Format.VOICES, content)

    with tempfile.TemporaryDirectory() as folder:  # the file itself is written when all is known
        plain = Path(folder) / options.weights.name
        write(plain, torch.zeros(256), torch.eye(256))
        encoder = VoiceEncoder(plain)
    noises = [audio.load(p) for p in read_noise(options.noise) if p.parent.name != LEFT_OUT]
    voices = [_heard(encoder, clips, noises) for clips in _voices(options.folder)]
    encoder.close()
    centre = torch.from_numpy(np.mean([v.mean(axis=0) for v in voices], axis=0))
    write(options.weights, centre, whitening(voices))
    size = f"{options.weights.stat().st_size / 1e6:.2f} MB"
    print(f"{options.weights}: {size}, {counted(len(voices), 'voice')}")


def whitening(voices: Sequence[np.ndarray]) -> torch.Tensor:
    """The matrix (n, n) that evens out how embeddings (n_embeddings, n) of one voice differ."""
    within = np.mean([np.cov(voice.T, bias=True) for voice in voices], axis=0)
    n = len(within)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / n * np.eye(n)
    variances, axes = np.linalg.eigh(within / np.trace(within) * n)
    return torch.from_numpy(axes @ np.diag(variances**-POWER) @ axes.T)


def _voices(folder: Path) -> Iterator[list[Clip]]:
    """Some clips of each speaker, drawn at random."""
    rng = np.random.default_rng(0)
    for corpus in SPEAKING:
        found = defaultdict(list)
        for clip in corpora.read(corpus, folder / corpus):
            found[clip.speaker].append(clip)
        for clips in found.values():
            yield [clips[i] for i in rng.permutation(len(clips))[:N_CLIPS]]


def _heard(
    encoder: VoiceEncoder, clips: Sequence[Clip], noises: Sequence[np.ndarray]
) -> np.ndarray:
    """Embeddings (n, 256) of a voice's clips and their beginnings, as they are and disturbed."""
    rng = np.random.default_rng(len(clips))
    found = []
    for number, clip in enumerate(clips):
        samples = as_live(audio.load(clip.path))
        noise = everyday(noises, len(samples), rng)
        other = (
            mix(samples, noise, rng.uniform(*SNR_DB)) if number % 2 else reverberant(samples, rng)
        )
        for sound in (samples, other):
            lengths = [n for n in PLACES[:2] if n <= len(sound)] + [len(sound)]
            found += [encoder.embedding(sound[:n].astype(np.float32)) for n in lengths]
    return np.stack(found)
