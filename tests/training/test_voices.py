"""The model of voices as it is made: of what it is given, and over no other before it is."""

from pathlib import Path

import pytest
import torch

from tests.training.made_corpora import record
from training.__main__ import main
from utils import checkpoint
from utils.checkpoint import Format
from utils.tags.voice_encoder import WEIGHTS


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    """What Resemblyzer's file holds."""
    weights = checkpoint.read(WEIGHTS, Format.VOICES)["weights"]
    state = {k: v.float() for k, v in weights.items() if k.startswith(("lstm.", "linear."))}
    path = tmp_path / "pretrained.pt"
    torch.save({"model_state": state}, path)
    return path


def test_a_model_stays_as_it_was_until_the_new_one_is_known(
    pretrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("rain/1-17367-A.wav", "rooster/5-1-B.wav"):
        record(tmp_path / "esc10" / name, 0)
    weights = tmp_path / "voices.pt"
    weights.write_bytes(b"an older one")
    places = ["--corpora", str(tmp_path / "absent"), "--noise", str(tmp_path / "esc10")]
    assert main(["voices", str(pretrained), *places, "--weights", str(weights)]) == 1
    assert "absent" in capsys.readouterr().err
    assert weights.read_bytes() == b"an older one"
