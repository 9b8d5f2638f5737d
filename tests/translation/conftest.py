"""Models that translate a few words."""

import shutil
from pathlib import Path

import pytest

from tests.translation_models import make_argos, make_opus

GERMAN = {"Guten Morgen.": "Good morning.", "Vielen Dank.": "Thank you."}
FRENCH = {"Good morning.": "Bonjour.", "Thank you.": "Merci.", "word": "mot"}


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A folder with `en-fr`, an OPUS-MT, and `de_en.argosmodel`."""
    folder = tmp_path_factory.mktemp("models")
    make_opus(folder / "en-fr", FRENCH)
    make_argos(folder / "de_en.argosmodel", GERMAN, "de", "en")
    shutil.rmtree(folder / "de_en.made")
    return folder


@pytest.fixture
def here(made, models_here) -> Path:
    """Both on this machine."""
    shutil.copytree(made, models_here)
    return models_here
