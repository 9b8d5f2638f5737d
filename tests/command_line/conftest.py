"""What the workshop's commands are tried on: small corpora, and a small encoder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emotion.small_encoder import small_encoder
from tests.training.made_corpora import record_all
from utils.emotion.encoder import Encoder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora, and the features that the first tests compute and the others find."""
    home = tmp_path_factory.mktemp("home")
    record_all(home)
    return home


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Encoder | None], None]:
    """Says which encoder is on this machine: a small one until it is called."""

    def here(encoder: Encoder | None) -> None:
        for module in ("training.inputs", "utils.emotion.encoder_here"):
            monkeypatch.setattr(f"{module}.find_encoder", lambda: encoder)

    here(small_encoder())
    return here
