"""A small encoder with made-up weights, in the form of Whisper's: hears in milliseconds."""

import numpy as np

from utils.emotion.encoder import HEADS, MOST, N_LAYERS, Encoder

WIDTH = HEADS  # of a layer: a single attention head
N_MELS = 16
N_POSITIONS = MOST // 320  # frames of 20 ms in what is heard at a time


def small_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights by name, as `utils.models.whisper.folder.read_arrays` gives them, float16.

    Parameters
    ----------
    seed : another one, another encoder
    """
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> np.ndarray:
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 100.0
        return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float16)

    found = {
        "conv1/weight": random(WIDTH, N_MELS, 3),
        "conv1/bias": random(WIDTH),
        "conv2/weight": random(WIDTH, WIDTH, 3),
        "conv2/bias": random(WIDTH),
        "position_encodings/encodings": random(N_POSITIONS, WIDTH),
    }
    for k in range(N_LAYERS):
        sizes = {
            "self_attention/linear_0": (3 * WIDTH, WIDTH),
            "self_attention/linear_1": (WIDTH, WIDTH),
            "ffn/linear_0": (4 * WIDTH, WIDTH),
            "ffn/linear_1": (WIDTH, 4 * WIDTH),
        }
        for name, size in sizes.items():
            found[f"layer_{k}/{name}/weight"] = random(*size)
            found[f"layer_{k}/{name}/bias"] = random(size[0])
        for name in ("self_attention/layer_norm", "ffn/layer_norm"):
            found[f"layer_{k}/{name}/gamma"] = np.ones(WIDTH, np.float16)
            found[f"layer_{k}/{name}/beta"] = random(WIDTH)
    return {f"encoder/{name}": array for name, array in found.items()}


def small_encoder(seed: int = 0) -> Encoder:
    """The encoder of `small_arrays`, 192 columns wide."""
    return Encoder(small_arrays(seed))
