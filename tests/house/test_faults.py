"""What the machine lacks is told as that, and nothing else is."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.disks import fill, small_disk
from tests.nemo_models import save
from utils.asr.nemo.load import load
from utils.errors import ModelError, NoMemoryError
from utils.faults import model_error, of_machine, out_of_memory


def raised(call: Callable[[], object]) -> BaseException:
    """What a call raises, wrapped as libraries do."""
    try:
        try:
            call()
        except Exception as err:
            raise RuntimeError("could not restore the model") from err
    except RuntimeError as err:
        return err
    raise AssertionError("nothing was raised")


def write_to_full_disk() -> None:
    with open("/dev/full", "wb", buffering=0) as file:
        file.write(b"x")


def test_a_full_disk_is_told_beneath_what_a_library_says():
    assert "the disk is full, perhaps that of temporary files" in of_machine(
        raised(write_to_full_disk)
    )
    assert "the disk of /media/stick is full" in of_machine(
        raised(write_to_full_disk), "/media/stick"
    )


def test_no_memory_is_told():
    for call in (lambda: bytearray(2**62), lambda: np.ones(2**50)):
        assert out_of_memory(raised(call)) and "no memory is left" in of_machine(raised(call))
    assert out_of_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert out_of_memory(ImportError("x.so: failed to map segment from shared object"))


def test_no_folder_for_temporary_files_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "file")])
    told = of_machine(raised(tempfile.TemporaryFile))
    assert "no folder for temporary files can be written to" in told and "TMPDIR" in told


def test_what_may_not_be_read_is_named():
    err = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/models/a.nemo")
    assert of_machine(err) == "/models/a.nemo may not be read or written to (Permission denied)"
    assert "process" in of_machine(RuntimeError("can't start new thread"))


@pytest.mark.parametrize(
    "call", [lambda: os.stat("/no/such/file"), lambda: int("x"), lambda: {"a": 1}["key"]]
)
def test_other_errors_are_not_the_machines(call):
    err = raised(call)
    assert of_machine(err) is None
    assert str(model_error(err, "the model", "choose another")) == "choose another"


def test_a_memory_error_is_of_its_own_kind():
    told = model_error(raised(lambda: bytearray(2**62)), "the model", "choose another")
    assert isinstance(told, NoMemoryError)
    assert str(told) == "the model cannot be used now: no memory is left; close other programs"


def test_a_model_that_cannot_be_unpacked_is_not_called_a_bad_one(tmp_path, monkeypatch):
    path = save("ctc", tmp_path)
    with small_disk(tmp_path / "small", 64) as disk:
        fill(disk)
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        with pytest.raises(ModelError) as caught:
            load(path)
    assert "the disk" in str(caught.value) and "is full" in str(caught.value)
    assert "choose another" not in str(caught.value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert load(Path(path)) is not None
