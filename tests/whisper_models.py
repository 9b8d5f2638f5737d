"""Whispers in CTranslate2's form that weigh next to nothing; nothing that could be run."""

import json
import os
import struct
from pathlib import Path

import numpy as np

ENGLISH, MULTILINGUAL, LARGE = 51_864, 51_865, 51_866  # tokens in Whisper's vocabularies
FLOAT16 = 4  # CTranslate2's number of the type


def weights(
    tokens: int = ENGLISH,
    mels: int = 80,
    n_bytes: int = 0,
    spec: str = "WhisperSpec",
    version: int = 6,
) -> bytes:
    """A `model.bin`: a number of tokens and mel bands, and some random arrays."""
    arrays = {
        "decoder/embeddings/weight": (tokens, 1),
        "decoder/scale_embeddings": (),
        "encoder/conv1/weight": (4, mels, 3),
        "encoder/conv2/weight": (n_bytes // 2 + 1,),
    }
    parts = [struct.pack("<I", version), _text(spec), struct.pack("<II", 3, len(arrays))]
    for name, shape in arrays.items():
        n_items = 1
        for size in shape:
            n_items *= size
        head = struct.pack(f"<B{len(shape)}I", len(shape), *shape)
        head += struct.pack("<BI", FLOAT16, 2 * n_items)
        parts += [_text(name), head, _numbers(n_items)]
    parts += [
        struct.pack("<I", 1),
        _text("decoder/projection/weight"),
        _text("decoder/embeddings/weight"),
    ]
    return b"".join(parts)


def _numbers(n_items: int) -> bytes:
    """Random ones of 16 bits: without the highest bit of the exponent they are all finite."""
    bits = np.frombuffer(os.urandom(2 * n_items), np.uint16)
    return (bits & np.uint16(0xBFFF)).tobytes()


def _text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data


def whisper(tokens: int = ENGLISH, mels: int = 80, n_bytes: int = 0) -> dict[str, bytes]:
    """The files of a model, by name; large-v3 has 128 mel bands."""
    vocabulary = [f"token{i}" for i in range(tokens)]
    files = {
        "model.bin": weights(tokens, mels, n_bytes),
        "config.json": json.dumps({"suppress_ids": []}).encode(),
        "tokenizer.json": json.dumps({"model": {}}).encode(),
    }
    if mels == 80:
        return files | {"vocabulary.txt": "\n".join(vocabulary).encode() + b"\n"}
    mel_facts = json.dumps({"feature_size": mels}).encode()
    return files | {
        "vocabulary.json": json.dumps(vocabulary).encode(),
        "preprocessor_config.json": mel_facts,
    }


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a model; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
