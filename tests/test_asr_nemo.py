"""NeMo models made here, small and with random weights, loaded by the real code."""

import json
import os
import socket
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from utils.asr.nemo import NemoTranscriber
from utils.asr.nemo_files import find_models, languages, locate
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError

pytestmark = pytest.mark.nemo

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
        input=str(lines), model_prefix=str(folder / "tokenizer"), vocab_size=40,
        minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    vocab = (folder / "tokenizer.vocab").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join(line.split("\t")[0] for line in vocab))
    return {"tokenizer": {"dir": str(folder), "type": "bpe"}}


def _build(kind: str, folder: Path):
    from nemo.collections.asr import models

    config = _config()
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
    return models.EncDecHybridRNNTCTCBPEModel, config


def _save(kind: str, folder: Path) -> Path:
    """A model of random weights as FOLDER/stt_en_KIND.nemo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from omegaconf import OmegaConf

        torch.manual_seed(3)
        model_class, config = _build(kind, folder)
        model = model_class(cfg=OmegaConf.create(config))
        path = folder / f"stt_en_{kind}.nemo"
        model.save_to(str(path))
    return path


KINDS = ["ctc", "ctc_bpe", "rnnt", "tdt", "hybrid"]


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("nemo")


@pytest.fixture(scope="session", params=KINDS)
def model_file(request, models_folder: Path) -> Path:
    return _save(request.param, models_folder)


@pytest.fixture(scope="session")
def ctc_file(models_folder: Path) -> Path:
    path = models_folder / "stt_en_ctc.nemo"
    return path if path.exists() else _save("ctc", models_folder)


@pytest.fixture
def speechlike() -> np.ndarray:
    """3 s of noise that swells and fades, so that a random model has much to say."""
    rng = np.random.default_rng(5)
    t = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    wave = rng.standard_normal(len(t)) * 0.1 * (1 + np.sin(2 * np.pi * 3 * t))
    return wave.astype(np.float32)


def _offline_text(path: Path, samples: np.ndarray) -> str:
    """What NeMo's own transcribe() makes of `samples`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nemo.collections.asr.models import ASRModel

        model = ASRModel.restore_from(str(path), map_location="cpu").eval()
        found = model.transcribe([samples], batch_size=1, verbose=False)
    return getattr(found[0], "text", found[0]).strip()


@pytest.mark.parametrize("seconds", [3.0, 0.4])
def test_text_and_times_of_a_whole_segment(model_file, speechlike, seconds):
    samples = speechlike[: int(seconds * SAMPLE_RATE)]
    transcriber = NemoTranscriber(str(model_file))
    stream = transcriber.stream()
    for start in range(0, len(samples), 1000):
        assert stream.accept(samples[start : start + 1000]) == ""
    heard = stream.finish(len(samples))
    transcriber.close()
    assert heard.text == _offline_text(model_file, samples)
    assert transcriber.name == f"NeMo {model_file.stem}"
    if heard.text:
        assert " ".join(word.text for word in heard.words) == heard.text
    for word in heard.words:
        assert 0 <= word.start_s <= word.end_s <= seconds
    json.dumps([(word.start_s, word.end_s) for word in heard.words])
