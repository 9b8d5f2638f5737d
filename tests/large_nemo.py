"""NeMo models of the sizes that are published, with random weights, for benchmarks.

A random model says nothing sensible, but it costs what a trained one does: its blank is made
as frequent as in speech, so that the transducer takes as many steps.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tests.nemo_models import LOOK_AHEADS, build
from utils.audio import SAMPLE_RATE

# d_model, layers, heads, mel bands, size of the prediction network and the joint:
# stt_en_fastconformer_hybrid_large_streaming_multi, nemotron-speech-streaming-en-0.6b
SIZES = {"114M": (512, 17, 8, 80, 640), "0.6B": (1024, 24, 8, 128, 640)}
VOCABULARY = 1024
EMITTING = 0.25  # share of encoder frames with a token: 3 a second


def save_large(size: str, folder: Path, texts: list[str]) -> Path:
    """A cache-aware hybrid model of `SIZES` as FOLDER/stt_en_random_SIZE.nemo, made once.

    Parameters
    ----------
    texts : sentences that its word pieces are taken from
    """
    path = folder / f"stt_en_random_{size}.nemo"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part = path.with_suffix(".part")
            _build(size, folder, texts).save_to(str(part))
            part.rename(path)
    return path


def _build(size: str, folder: Path, texts: list[str]) -> Any:
    import torch
    from omegaconf import OmegaConf

    d_model, n_layers, n_heads, n_mels, hidden = SIZES[size]
    model_class, config = build("hybrid", folder)
    config["tokenizer"] = _pieces(folder / "pieces", texts)
    config["preprocessor"] |= {"normalize": "NA", "pad_to": 0, "dither": 0.0, "features": n_mels}
    config["encoder"] |= {
        "feat_in": n_mels,
        "n_layers": n_layers,
        "d_model": d_model,
        "n_heads": n_heads,
        "subsampling_conv_channels": 256,
        "att_context_style": "chunked_limited",
        "att_context_size": [[70, right] for right in LOOK_AHEADS],
        "causal_downsampling": True,
        "conv_context_size": "causal",
        "conv_norm_type": "layer_norm",
    }
    config["decoder"]["prednet"]["pred_hidden"] = hidden
    config["joint"]["jointnet"]["joint_hidden"] = hidden
    config["aux_ctc"]["decoder"]["feat_in"] = d_model
    config["model_defaults"] = {
        "enc_hidden": d_model,
        "pred_hidden": hidden,
        "joint_hidden": hidden,
    }
    torch.manual_seed(0)
    model = model_class(cfg=OmegaConf.create(config)).eval()
    _set_blank(model)
    return model


def _pieces(folder: Path, texts: list[str]) -> dict[str, str]:
    import sentencepiece

    folder.mkdir(exist_ok=True)
    (folder / "lines.txt").write_text("\n".join(texts))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=VOCABULARY,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    lines = (folder / "tokenizer.vocab").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join(line.split("\t")[0] for line in lines))
    return {"dir": str(folder), "type": "bpe"}


def _set_blank(model: Any) -> None:
    """Find the bias of the blank at which a quarter of the frames have a token."""
    import torch

    noise = np.random.default_rng(0).normal(0, 0.1, 8 * SAMPLE_RATE).astype(np.float32)
    last = model.joint.joint_net[-1]
    low, high = -20.0, 20.0
    with torch.no_grad():
        encoded, frames = model.forward(
            input_signal=torch.from_numpy(noise)[None],
            input_signal_length=torch.tensor([len(noise)]),
        )[:2]
        last.weight.mul_(10.0)
        for _ in range(12):
            last.bias[-1] = (low + high) / 2
            found = model.decoding.rnnt_decoder_predictions_tensor(
                encoded, frames, return_hypotheses=True
            )
            if len(found[0].y_sequence) > EMITTING * int(frames[0]):
                low = float(last.bias[-1])
            else:
                high = float(last.bias[-1])
