"""A model that does not fit into memory is refused before it is loaded."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from utils.asr.nemo.load import load
from utils.errors import ModelError, NoMemoryError
from utils.models.catalogue import WHISPER
from utils.models.memory import check_fits, check_spare, free_bytes, give_back, needed_bytes

HOME = Path(__file__).resolve().parents[2]


@pytest.fixture
def huge_file(tmp_path) -> Path:
    """A `.nemo` file of one terabyte, nearly all of it a hole that takes no disk."""
    config = b"target: nemo.collections.asr.models.EncDecCTCModel\n"
    settings, weights = tarfile.TarInfo("model_config.yaml"), tarfile.TarInfo("model_weights.ckpt")
    settings.size, weights.size = len(config), 10**12
    path = tmp_path / "huge.nemo"
    with tarfile.open(path, "w") as tar:
        tar.addfile(settings, io.BytesIO(config))
    with path.open("r+b") as file:
        file.seek(1024)  # past the header and the settings, over the end of the archive
        file.write(weights.tobuf(tarfile.GNU_FORMAT))
        file.truncate(file.tell() + weights.size + 1024)
    return path


def test_a_model_that_is_too_large_is_refused_before_it_is_loaded(huge_file):
    with pytest.raises(ModelError) as caught:
        load(huge_file)
    assert "is too large for the memory of this machine" in str(caught.value)
    assert str(huge_file) in str(caught.value)
    assert "app.py models" in str(caught.value)


def test_free_memory_is_what_the_system_says():
    told = Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]
    assert 0 < free_bytes() <= int(told) * 1024 * 1.2


def test_what_was_measured_is_what_is_needed(monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "nemo.collections.asr", raising=False)
    assert needed_bytes(452_000_000) == pytest.approx(1.69e9, rel=0.03)
    assert needed_bytes(2_456_000_000) == pytest.approx(5.72e9, rel=0.03)
    for file_mb, peak_mb in ((76, 241), (145, 333), (484, 675), (1528, 1605)):
        assert 1.0 < needed_bytes(file_mb * 1_000_000, WHISPER) / (peak_mb * 1e6) < 1.2
    check_fits("small", 1000)


def test_a_part_that_words_can_do_without_is_refused_where_memory_is_short():
    check_spare("emotion", 1000, 1000)
    with pytest.raises(NoMemoryError, match="emotion takes about .* kept for the words"):
        check_spare("emotion", 10**15, 1000)


def test_a_limit_of_addresses_is_heeded():
    """As `ulimit -v` sets it; a library that gets none may end the program."""
    code = """
import resource
from utils.models.memory import check_spare
limit = 2 * 10**9
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
check_spare("emotion", 1000, 10**8)
check_spare("emotion", 1000, 2 * 10**9)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert "emotion reserves about 2.0 GB of memory, and the limit leaves" in ended.stderr


def test_a_limit_that_leaves_no_room_for_the_words_is_told_before_they_are_loaded():
    code = """
import resource
from app import load_engines
from utils.config import Settings
resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))
load_engines(Settings(asr="whisper"), lambda done, message: None)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert ended.returncode == 1  # and no signal of a library
    last = ended.stderr.splitlines()[-1]
    assert "captioning reserves about 900 MB of memory, and the limit leaves" in last


def test_memory_that_nobody_uses_is_given_back():
    blocks = [b"x" * 100_000 for _ in range(2000)]
    last = blocks.pop()  # what lies on top keeps the C library from shrinking by itself
    blocks.clear()
    held = resident_mb()
    give_back()
    assert resident_mb() < held - 100
    assert last == b"x" * 100_000


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
