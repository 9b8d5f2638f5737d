"""What `torch.save` wrote is looked at as PyTorch would read it, and no other part of the file."""

import io
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict

import pytest
import torch

from tests.odd_models import MEMORY, doubled, weights
from utils.untrusted_torch import check_torch


def saved(content: object, **form: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **form)
    return buffer.getvalue()


GOOD = saved({"weight": torch.arange(3)})


def two_directories() -> bytes:
    """The last bytes tell of one directory, another lies before them.

    PyTorch takes the one that is told of, `zipfile` the other.
    """
    content = doubled(60)
    hidden, seen = weights(content), weights(pickle.dumps({}, 2).ljust(len(content), b"."))
    told_of = struct.unpack_from("<II", hidden, len(hidden) - 10)  # bytes, place
    end = bytearray(seen[-22:])
    size, place = struct.unpack_from("<II", end, 12)
    assert size == told_of[0]
    struct.pack_into("<I", end, 16, told_of[1])
    return hidden + seen[:-22] + bytes(end)


def twice(name: str) -> bytes:
    buffer = io.BytesIO(weights())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, pickle.dumps({"other": 1}, 2))
    return buffer.getvalue()


def call(what: object, *given: object) -> bytes:
    class Call:
        def __reduce__(self) -> tuple:
            return what, given

    return weights(pickle.dumps({"w": Call()}, 2))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"a": [1, "x", None, 2.5, (True, b"x")]},
        {"w": torch.zeros(3, 4)[1:, 2]},
        OrderedDict(w=torch.nn.Parameter(torch.ones(2)), b=torch.zeros(2, dtype=torch.bfloat16)),
        {"size": torch.Size([1, 2]), "type": torch.float16, "device": torch.device("cpu")},
        {"counts": Counter("aab"), "set": {1, 2}, "complex": 1j},
    ],
)
def test_what_pytorch_writes_passes(content):
    assert check_torch(io.BytesIO(saved(content))) >= 2


def test_an_older_form_behind_which_an_archive_lies_is_refused():
    """PyTorch reads the beginning then, and nobody has counted what that would come to."""
    file = saved({"from": "the beginning"}, _use_new_zipfile_serialization=False) + GOOD
    assert torch.load(io.BytesIO(file), weights_only=True) == {"from": "the beginning"}
    with pytest.raises(ValueError, match="directory is not where it should be"):
        check_torch(io.BytesIO(file))


def test_a_directory_that_only_one_of_two_readers_finds_is_refused():
    with zipfile.ZipFile(io.BytesIO(two_directories())) as archive:
        assert pickle.loads(archive.read("x/data.pkl")) == {}
    with pytest.raises(ValueError, match="directory is not where it should be"):
        check_torch(io.BytesIO(two_directories()))


@pytest.mark.parametrize("end", [b"\0", b"PK\x05\x06" + bytes(18), GOOD[-22:]])
def test_what_follows_the_end_is_refused(end):
    with pytest.raises(ValueError, match="no PyTorch archive"):
        check_torch(io.BytesIO(GOOD + end))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["x/data.pkl", "x/DATA.pkl", "X/data.pkl", "x/Version"])
def test_a_part_that_is_there_twice_is_refused(name):
    with pytest.raises(ValueError, match="twice"):
        check_torch(io.BytesIO(twice(name)))


@pytest.mark.parametrize(
    "file",
    [
        weights(MEMORY),
        call(torch.UntypedStorage, 10**12),
        call(torch.Tensor, 10**12),
        call(torch.FloatTensor, 10**12),
        call(bytearray, 10**12),
    ],
)
def test_weights_that_ask_for_memory_by_a_number_are_refused(file):
    with pytest.raises(ValueError, match="asks for memory"):
        check_torch(io.BytesIO(file))


@pytest.mark.parametrize("n_bytes", [0, 1, 3, 21, 22, 97, 98, len(GOOD) - 1])
def test_what_is_cut_short_is_refused(n_bytes):
    with pytest.raises(ValueError):
        check_torch(io.BytesIO(GOOD[:n_bytes]))
