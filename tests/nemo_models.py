"""Small NeMo models of every kind, with random weights, for tests."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from utils.audio import SAMPLE_RATE

LABELS = list(" abcdefghijklmnopqrstuvwxyz'")
TEXTS = ["zero one two three four", "five six seven eight nine", "the cat sat on the mat"]


def _config(sample_rate: int = SAMPLE_RATE) -> dict:
    return {
        "sample_rate": sample_rate,
        "preprocessor": {
            "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
            "sample_rate": sample_rate,
            "features": 40,
            "window_size": 0.025,
            "window_stride": 0.01,
            "dither": 1e-5,
            "pad_to": 16,
        },
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConformerEncoder",
            "feat_in": 40,
            "n_layers": 2,
            "d_model": 32,
            "n_heads": 4,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": 16,
            "conv_kernel_size": 9,
            "dropout": 0.1,
        },
    }


def _ctc_decoder() -> dict:
    return {
        "_target_": "nemo.collections.asr.modules.ConvASRDecoder",
        "feat_in": 32,
        "num_classes": len(LABELS),
        "vocabulary": LABELS,
    }


def _transducer() -> dict:
    """Prediction network, joint and loss of an RNNT or hybrid model."""
    return {
        "decoder": {
            "_target_": "nemo.collections.asr.modules.RNNTDecoder",
            "prednet": {"pred_hidden": 32, "pred_rnn_layers": 1, "dropout": 0.1},
        },
        "joint": {
            "_target_": "nemo.collections.asr.modules.RNNTJoint",
            "jointnet": {"joint_hidden": 32, "activation": "relu", "dropout": 0.1},
        },
        "decoding": {"strategy": "greedy_batch", "greedy": {"max_symbols": 2}},
        "loss": {"loss_name": "default"},
        "model_defaults": {"enc_hidden": 32, "pred_hidden": 32, "joint_hidden": 32},
    }


def _bpe(folder: Path) -> dict:
    """A tokenizer trained on a few lines."""
    import sentencepiece

    folder.mkdir(exist_ok=True)
    lines = folder / "lines.txt"
    lines.write_text("\n".join(TEXTS))
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=40,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    vocab = (folder / "tokenizer.vocab").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join(line.split("\t")[0] for line in vocab))
    return {"tokenizer": {"dir": str(folder), "type": "bpe"}}


def build(kind: str, folder: Path, sample_rate: int = SAMPLE_RATE) -> tuple[type, dict]:
    from nemo.collections.asr import models

    config = _config(sample_rate)
    if kind == "ctc":
        config |= {"decoder": _ctc_decoder()}
        return models.EncDecCTCModel, config
    config |= _bpe(folder / "tokens")
    if kind == "ctc_bpe":
        decoder = _ctc_decoder() | {"num_classes": -1, "vocabulary": []}
        return models.EncDecCTCModelBPE, config | {"decoder": decoder}
    config |= _transducer()
    if kind == "rnnt":
        return models.EncDecRNNTBPEModel, config
    if kind == "tdt":
        config["joint"]["num_extra_outputs"] = 5
        config["decoding"] |= {"model_type": "tdt", "durations": [0, 1, 2, 3, 4]}
        config["loss"] = {"loss_name": "tdt", "tdt_kwargs": {"durations": [0, 1, 2, 3, 4]}}
        return models.EncDecRNNTBPEModel, config
    config["aux_ctc"] = {
        "ctc_loss_weight": 0.3,
        "use_cer": False,
        "decoder": _ctc_decoder() | {"num_classes": -1, "vocabulary": []},
        "decoding": {"strategy": "greedy"},
    }
    if kind == "prompt":
        config["model_defaults"] |= {
            "initialize_prompt_feature": True,
            "num_prompts": 4,
            "prompt_dictionary": {"de-DE": 0, "en-US": 1},
        }
        return models.EncDecHybridRNNTCTCBPEModelWithPrompt, config
    return models.EncDecHybridRNNTCTCBPEModel, config


def save(kind: str, folder: Path, sample_rate: int = SAMPLE_RATE) -> Path:
    """A model of random weights as FOLDER/stt_en_KIND.nemo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from omegaconf import OmegaConf

        torch.manual_seed(3)
        model_class, config = build(kind, folder, sample_rate)
        model = model_class(cfg=OmegaConf.create(config))
        path = folder / f"stt_en_{kind}.nemo"
        model.save_to(str(path))
    return path


LOOK_AHEADS = (13, 6, 1, 0)


def build_streaming(kind: str, folder: Path, **encoder: object) -> Any:
    """A cache-aware model of random weights that finds many different words in noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from omegaconf import OmegaConf

        torch.manual_seed(3)
        model_class, config = build(kind, folder)
        config["preprocessor"] |= {"normalize": "NA", "pad_to": 0, "dither": 0.0}
        config["encoder"] |= {
            "att_context_style": "chunked_limited",
            "att_context_size": [[70, right] for right in LOOK_AHEADS],
            "causal_downsampling": True,
            "conv_context_size": "causal",
            "conv_norm_type": "layer_norm",
        }
        config["encoder"] |= encoder
        model = model_class(cfg=OmegaConf.create(config)).eval()
        _enliven(model)
    return model


def _enliven(model: Any) -> None:
    """Make the last layer listen to what changes in the sound, not to what stays."""
    import torch

    last = (
        model.joint.joint_net[-1] if hasattr(model, "joint") else model.decoder.decoder_layers[-1]
    )
    heard = []
    hook = last.register_forward_hook(lambda _, inputs, __: heard.append(inputs[0].detach()))
    rng = np.random.default_rng(0)
    swell = np.sin(np.arange(4 * SAMPLE_RATE) / 2000)
    signal = torch.from_numpy(rng.normal(0, 0.1, len(swell)) * swell).float()[None]
    with torch.no_grad():
        encoded, frames = model.forward(
            input_signal=signal, input_signal_length=torch.tensor([signal.shape[1]])
        )[:2]
        if hasattr(model, "joint"):
            model.decoding.rnnt_decoder_predictions_tensor(encoded, frames)
        hook.remove()
        axis = 1 if heard[0].dim() == 3 and heard[0].shape[1] == last.weight.shape[1] else -1
        rows = torch.cat(
            [part.movedim(axis, -1).reshape(-1, last.weight.shape[1]) for part in heard]
        )
        weight = last.weight.reshape(last.weight.shape[0], -1)
        weight.div_((rows - rows.mean(0)).mul(20).std(0).clamp(min=1e-3) / 20)
        last.bias.copy_(-(weight @ rows.mean(0)))


def save_streaming(kind: str, folder: Path, **encoder: object) -> Path:
    """The model of `build_streaming` as FOLDER/stt_en_streaming_KIND.nemo."""
    path = folder / f"stt_en_streaming_{kind}.nemo"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        build_streaming(kind, folder, **encoder).save_to(str(path))
    return path


def save_voice(folder: Path, name: str = "titanet_tiny", sample_rate: int = SAMPLE_RATE) -> Path:
    """A speaker model built like TitaNet, small and with random weights, as FOLDER/NAME.nemo."""
    block = {
        "repeat": 1,
        "stride": [1],
        "dilation": [1],
        "dropout": 0.1,
        "separable": True,
        "se": True,
        "se_context_size": -1,
    }
    config = {
        "sample_rate": sample_rate,
        "preprocessor": _config(sample_rate)["preprocessor"] | {"normalize": "per_feature"},
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConvASREncoder",
            "feat_in": 40,
            "activation": "relu",
            "conv_mask": True,
            "jasper": [
                {**block, "filters": 32, "kernel": [3], "residual": False},
                {**block, "filters": 32, "kernel": [7], "residual": True},
                {**block, "filters": 48, "kernel": [1], "residual": False},
            ],
        },
        "decoder": {
            "_target_": "nemo.collections.asr.modules.SpeakerDecoder",
            "feat_in": 48,
            "num_classes": 6,
            "pool_mode": "attention",
            "emb_sizes": 16,
        },
    }
    path = folder / f"{name}.nemo"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from nemo.collections.asr.models import EncDecSpeakerLabelModel
        from omegaconf import OmegaConf

        torch.manual_seed(3)
        EncDecSpeakerLabelModel(cfg=OmegaConf.create(config)).save_to(str(path))
    return path
