"""Whisper's decoder from CTranslate2's file into a checkpoint that PyTorch loads.

WhisperLiveKit decodes with PyTorch by its default policy. This makes its checkpoint out of the
weights that all peers share, so that none is fetched.

The file: four bytes of version, the model's name, four of its revision, the number of arrays,
and for each its name, shape, type, size and bytes; names have their length before them
(CTranslate2, `python/ctranslate2/specs/model_spec.py`, `_serialize`).
"""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

FLOAT16 = 4  # CTranslate2's number for it
N_HEADS = 6  # of the tiny model, in each layer
PARTS = (  # ours, theirs; keys have no bias in Whisper
    ("attn_ln", "self_attention/layer_norm"),
    ("attn.out", "self_attention/linear_1"),
    ("cross_attn_ln", "attention/layer_norm"),
    ("cross_attn.query", "attention/linear_0"),
    ("cross_attn.out", "attention/linear_2"),
    ("mlp_ln", "ffn/layer_norm"),
    ("mlp.0", "ffn/linear_0"),
    ("mlp.2", "ffn/linear_1"),
)


def convert(model: Path, to: Path) -> None:
    """Write the decoder of a float16 Whisper in CTranslate2's form as an OpenAI checkpoint."""
    arrays = _read(model / "model.bin")
    table = arrays["decoder/embeddings/weight"]
    positions = arrays["decoder/position_encodings/encodings"]
    state = {
        "decoder.token_embedding.weight": table,
        "decoder.positional_embedding": positions,
        **_affine("decoder.ln", "decoder/layer_norm", arrays),
    }
    n_layers = sum(name.endswith("/ffn/layer_norm/beta") for name in arrays if "decoder" in name)
    for layer in range(n_layers):
        here, there = f"decoder.blocks.{layer}", f"decoder/layer_{layer}"
        for ours, theirs in PARTS:
            state |= _affine(f"{here}.{ours}", f"{there}/{theirs}", arrays)
        names: tuple[str, ...] = ("query", "key", "value")
        theirs = f"{there}/self_attention/linear_0"
        state |= _split(f"{here}.attn", names, theirs, arrays)
        names, theirs = ("key", "value"), f"{there}/attention/linear_1"
        state |= _split(f"{here}.cross_attn", names, theirs, arrays)
    n_frames, width = arrays["encoder/position_encodings/encodings"].shape
    dims = {
        "n_mels": arrays["encoder/conv1/weight"].shape[1],
        "n_audio_ctx": n_frames,
        "n_audio_state": width,
        "n_audio_head": N_HEADS,
        "n_audio_layer": n_layers,
        "n_vocab": len(table),
        "n_text_ctx": len(positions),
        "n_text_state": width,
        "n_text_head": N_HEADS,
        "n_text_layer": n_layers,
    }
    tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}
    torch.save({"dims": dims, "model_state_dict": tensors}, to)


def _read(path: Path) -> dict[str, np.ndarray]:
    arrays = {}
    with open(path, "rb") as file:
        _number(file, "I")
        _name(file)
        _number(file, "I")
        for _ in range(_number(file, "I")):
            name = _name(file)
            shape = [_number(file, "I") for _ in range(_number(file, "B"))]
            kind = _number(file, "B")
            data = file.read(_number(file, "I"))
            if kind == FLOAT16:
                arrays[name] = np.frombuffer(data, "<f2").reshape(shape).astype(np.float32)
    return arrays


def _number(file: BinaryIO, form: str) -> int:
    return struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0]


def _name(file: BinaryIO) -> str:
    return file.read(_number(file, "H")).rstrip(b"\0").decode()


def _affine(ours: str, theirs: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    weight, bias = ("gamma", "beta") if theirs.endswith("layer_norm") else ("weight", "bias")
    return {
        f"{ours}.weight": arrays[f"{theirs}/{weight}"],
        f"{ours}.bias": arrays[f"{theirs}/{bias}"],
    }


def _split(
    ours: str, names: tuple[str, ...], theirs: str, arrays: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Projections that CTranslate2 keeps as one."""
    weights = np.split(arrays[f"{theirs}/weight"], len(names))
    biases = np.split(arrays[f"{theirs}/bias"], len(names))
    state = {f"{ours}.{name}.weight": w for name, w in zip(names, weights, strict=True)}
    return state | {
        f"{ours}.{name}.bias": b for name, b in zip(names, biases, strict=True) if name != "key"
    }
