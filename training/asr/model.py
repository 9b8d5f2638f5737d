"""The network that is trained here: a small cache-aware streaming FastConformer with CTC.

V. Noroozi et al., "Stateful Conformer with cache-based inference for streaming automatic
speech recognition", ICASSP 2024; its sizes are ours. Only 0 to 4 kHz are looked at, so that
a wide-band microphone sounds no different from the narrow-band recordings of training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

N_MELS, HIGHEST_HZ = 40, 4_000
MEL_MEAN, MEL_DEVIATION = -12.0, 4.0  # of their logarithms in training, roughly
LOOK_AHEAD = [70, 6]  # frames of 80 ms before and after; the left must be divisible by right + 1
D_MODEL, N_LAYERS, N_HEADS, CHANNELS = 128, 5, 4, 48


def build(words: Sequence[str], folder: Path) -> Any:
    """A new NeMo model whose tokens are whole words; seed torch before.

    Parameters
    ----------
    folder : is made, and keeps the tokens, which NeMo reads again when it saves the model
    """
    from nemo.collections.asr.models import EncDecCTCModelBPE
    from omegaconf import OmegaConf

    folder.mkdir(parents=True, exist_ok=True)
    _tokenizer(words, folder)
    model = EncDecCTCModelBPE(cfg=OmegaConf.create(config(str(folder))))
    _begin(model.encoder.pre_encode)
    return model


def _begin(subsampling: Any) -> None:
    """Start the first layers where they pass on what they hear, at about unit deviation.

    Streaming does not allow to normalise mel energies, and NeMo's initial weights make of
    their large mean a constant in which the speech is lost for the first thousand steps.
    The weights are those of He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    import torch

    with torch.no_grad():
        for layer in [m for m in subsampling.conv if isinstance(m, torch.nn.Conv2d)]:
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                layer.bias.zero_()
        torch.nn.init.xavier_normal_(subsampling.out.weight)
        first = subsampling.conv[0]
        first.weight /= MEL_DEVIATION
        first.bias -= MEL_MEAN * first.weight.sum(dim=(1, 2, 3))


def config(tokenizer: str) -> dict:
    """NeMo's configuration of the network; `tokenizer` is the folder of its tokens."""
    return {
        "sample_rate": 16_000,
        "log_prediction": False,
        "preprocessor": {
            "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
            "sample_rate": 16_000,
            "normalize": "NA",
            "features": N_MELS,
            "highfreq": HIGHEST_HZ,
            "window_size": 0.025,
            "window_stride": 0.01,
            "n_fft": 512,
            "dither": 1e-5,
            "pad_to": 0,
        },
        "spec_augment": {
            "_target_": "nemo.collections.asr.modules.SpectrogramAugmentation",
            "freq_masks": 2,
            "freq_width": 6,
            "time_masks": 3,
            "time_width": 0.04,
        },
        "tokenizer": {"dir": tokenizer, "type": "bpe"},
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConformerEncoder",
            "feat_in": N_MELS,
            "n_layers": N_LAYERS,
            "d_model": D_MODEL,
            "n_heads": N_HEADS,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": CHANNELS,
            "causal_downsampling": True,
            "ff_expansion_factor": 4,
            "self_attention_model": "rel_pos",
            "xscaling": False,
            "att_context_size": LOOK_AHEAD,
            "att_context_style": "chunked_limited",
            "conv_kernel_size": 9,
            "conv_norm_type": "layer_norm",
            "conv_context_size": "causal",
            "dropout": 0.1,
            "dropout_pre_encoder": 0.0,
            "dropout_emb": 0.0,
            "dropout_att": 0.0,
        },
        "decoder": {
            "_target_": "nemo.collections.asr.modules.ConvASRDecoder",
            "feat_in": D_MODEL,
            "num_classes": -1,
            "vocabulary": [],
        },
        "decoding": {"strategy": "greedy_batch"},
        "optim": {"name": "adamw", "lr": 2e-3},
    }


def _tokenizer(words: Sequence[str], folder: Path) -> None:
    """Write a SentencePiece model in which each word is one token."""
    import sentencepiece

    lines = folder / "words.txt"
    lines.write_text("\n".join(words))
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines),
        model_prefix=str(folder / "tokenizer"),
        model_type="word",
        vocab_size=len(words) + 1,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    tokens = (folder / "tokenizer.vocab").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join(line.split("\t")[0] for line in tokens))
    lines.unlink()
