"""Where models lie: what is taken in, by whom, and under which name."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from utils.errors import ModelError
from utils.models.places import take


def test_two_who_add_the_same_at_once_do_not_delete_each_others_part(models_here: Path) -> None:
    def put(part: Path) -> None:
        part.mkdir()
        (part / "weights").write_bytes(b"first")
        with ThreadPoolExecutor() as beside, pytest.raises(ModelError, match="being added"):
            beside.submit(take, Path("second"), "mine", 1, Path.mkdir).result()

    assert take(Path("first"), "mine", 1, put) == models_here / "mine"
    assert (models_here / "mine/weights").read_bytes() == b"first"
