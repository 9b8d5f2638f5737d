"""Model files such as an attacker would make: small, and nothing that runs without being told."""

import gzip
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

CONFIG = "target: nemo.collections.asr.models.EncDecCTCModel\nnemo_version: 3.0.0\n"
ALIASES = (
    CONFIG
    + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
)
NESTED = CONFIG + "deep: " + "[" * 5_000 + "]" * 5_000
ITSELF = CONFIG + "round: &round [*round]\n"
BROKEN = CONFIG + "a: [1, 2\nb: }\n"
DOUBLING = (
    CONFIG
    + "v0: xxxxxxxxxxxxxxxx\n"
    + "".join(f"v{i}: ${{v{i - 1}}}${{v{i - 1}}}\n" for i in range(1, 40))
)
DEVICE = CONFIG + "tokenizer:\n  dir: /dev\n  vocab_path: /dev/zero\n"
CLOCK = CONFIG + "n: " + ":".join(["59"] * 500_000) + "\n"  # a number of base 60, as YAML reads it

LAYERS = CONFIG + "encoder:\n  n_layers: 1000000\n  d_model: 8\n"
WIDE = CONFIG + "model_defaults: {}\nencoder:\n  n_layers: 1\n  d_model: 60000\n"
SOUND = CONFIG + "preprocessor:\n  sample_rate: 16000\n  "
BANDS = SOUND + "features: 100000\n  n_fft: 131072\n"
HOURS = SOUND + "window_size: 10000.0\n"
HOURS_AS_TEXT = SOUND + "window_size: 1e4\n"  # a text in YAML 1.1, and a number for NeMo
ELSEWHERE = CONFIG + "x: 1000000\nencoder:\n  n_layers: ${x}\n"
WORKED_OUT = CONFIG + "encoder:\n  n_layers: ${oc.decode:'1000000'}\n"
ROUND = CONFIG + "encoder:\n  a: ${encoder}\n  b: ${encoder}\n"
CHANNELS = CONFIG + "encoder:\n  subsampling_conv_channels: 90000\n"
OTHER_PART = (
    CONFIG + "extra:\n  _target_: nemo.collections.asr.modules.ConvASRDecoder\n  feat_in: 90000\n"
)
# Another class for YAML, to which this sign ends a line, than for who looks for line ends.
LINE_ENDS = "x: 1\N{LINE SEPARATOR}target: a.B\n" + CONFIG.replace("target:", "a:\n  target:")

POSITIONS = CONFIG + "encoder:\n  n_layers: 1\n  pos_emb_max_len: 9000000000\n"


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple:
    """One part of an archive."""
    part = tarfile.TarInfo(name)
    part.type, part.linkname, part.size = kind, link, len(data)
    return part, data


def tar(*parts: tuple) -> bytes:
    """An archive of parts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for part, data in parts:
            archive.addfile(part, io.BytesIO(data))
    return buffer.getvalue()


def weights(content: bytes = b"", packed: bool = False, name: str = "x/data.pkl") -> bytes:
    """What `torch.save` would have written, around any pickle."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content or pickle.dumps({}, 2))
        archive.writestr("x/version", b"3\n")
        archive.writestr("x/data/0", bytes(50_000_000 if packed else 10_000))
    return buffer.getvalue()


def nemo(config: str = CONFIG, ckpt: bytes = b"", *more: tuple) -> bytes:
    """An archive with a configuration and weights."""
    named = member("./model_config.yaml", config.encode())
    return tar(named, member("./model_weights.ckpt", ckpt or weights()), *more)


def doubled(levels: int) -> bytes:
    """A pickle of tuples that hold the one before twice, as the key of a dictionary.

    To find its place in the dictionary takes 2**levels steps.
    """
    pairs = b"".join(b"h%c\x86q%c" % (i, i + 1) for i in range(levels))
    return b"\x80\x02}(K\x01K\x02\x86q\x00" + pairs + b"K\x01u."


# A pickle that calls `bytearray(2**40)`, which PyTorch allows.
MEMORY = b"\x80\x02}X\x01\0\0\0wcbuiltins\nbytearray\n\x8a\x06\0\0\0\0\0\x01\x85Rs."


def _huge_note() -> bytes:
    """An archive whose extended header announces 3 GB, all in a file that has a hole."""
    note = tarfile.TarInfo("note")
    note.type, note.size = tarfile.XHDTYPE, 3_000_000_000
    return note.tobuf()


def _negative() -> bytes:
    """A part that is followed by itself."""
    part = tarfile.TarInfo("x")
    part.pax_headers = {"size": "-512"}
    return part.tobuf(tarfile.PAX_FORMAT) + bytes(2048)


def _holes() -> bytes:
    """A part of a kilobyte that unpacks to a terabyte of nothing."""
    part = tarfile.TarInfo("model_weights.ckpt")
    part.size = 512
    part.pax_headers = {
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.numblocks": "1",
        "GNU.sparse.offset": str((1 << 40) - 512),
        "GNU.sparse.numbytes": "512",
    }
    config = tar(member("model_config.yaml", CONFIG.encode()))[:1024]
    return config + part.tobuf(tarfile.PAX_FORMAT) + bytes(2048)


# Name: what lies in the file. Those that have no good configuration are not even listed.
UNREADABLE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "noise": lambda: os.urandom(10_000),
    "a page": lambda: b"<html>not found</html>" * 100,
    "link as configuration": lambda: tar(
        member("./model_config.yaml", kind=tarfile.SYMTYPE, link="/etc/passwd")
    ),
    "hard link as configuration": lambda: tar(
        member("./model_config.yaml", kind=tarfile.LNKTYPE, link="./other")
    ),
    "device as configuration": lambda: tar(member("./model_config.yaml", kind=tarfile.CHRTYPE)),
    "pipe first": lambda: tar(member("a", kind=tarfile.FIFOTYPE))[:512] + nemo(),
    "device first": lambda: tar(member("a", kind=tarfile.BLKTYPE))[:512] + nemo(),
    "outside": lambda: tar(member("../x", b"x"), member("model_config.yaml", CONFIG.encode())),
    "packed": lambda: gzip.compress(
        tar(member("a", bytes(200_000_000)), member("model_config.yaml", CONFIG.encode())), 1
    ),
    "packed name without an end": lambda: b"\x1f\x8b\x08\x08" + b"x" * 5_000_000,
    "long note": _huge_note,
    "followed by itself": _negative,
    "notes upon notes": lambda: _chain(),
    "many parts": lambda: tar(*(member(f"{i}") for i in range(5_000)))[:-1024] + nemo(),
    "elsewhere": lambda: tar(member("sub/model_config.yaml", CONFIG.encode())),
    "huge configuration": lambda: nemo(CONFIG + "# " + "x" * 10_000_000),
}
UNLOADABLE: dict[str, Callable[[], bytes]] = {
    "aliases": lambda: nemo(ALIASES),
    "nested": lambda: nemo(NESTED),
    "itself": lambda: nemo(ITSELF),
    "broken YAML": lambda: nemo(BROKEN),
    "doubling references": lambda: nemo(DOUBLING),
    "names a device": lambda: nemo(DEVICE),
    "a number of base 60": lambda: nemo(CLOCK),
    "a million layers": lambda: nemo(LAYERS),
    "wide layers": lambda: nemo(WIDE),
    "positions": lambda: nemo(POSITIONS),
    "mel bands": lambda: nemo(BANDS),
    "hours in a window": lambda: nemo(HOURS),
    "hours as a text": lambda: nemo(HOURS_AS_TEXT),
    "layers told elsewhere": lambda: nemo(ELSEWHERE),
    "layers worked out": lambda: nemo(WORKED_OUT),
    "references in a round": lambda: nemo(ROUND),
    "channels": lambda: nemo(CHANNELS),
    "wide in another part": lambda: nemo(OTHER_PART),
    "odd line ends": lambda: nemo(LINE_ENDS),
    "second configuration": lambda: nemo(CONFIG, b"", member("model_config.yaml", b"a: 1")),
    "other case": lambda: nemo(CONFIG, b"", member("Model_Config.YAML", b"a: 1")),
    "absolute": lambda: nemo(CONFIG, b"", member("/etc/x", b"x")),
    "hard link behind": lambda: nemo(CONFIG, b"", member("x", kind=tarfile.LNKTYPE, link="/etc")),
    "through a link": lambda: nemo(
        CONFIG, b"", member("x", kind=tarfile.SYMTYPE, link=".."), member("x/y", b"y")
    ),
    "old form of holes": lambda: nemo(CONFIG, b"", member("x", kind=tarfile.GNUTYPE_SPARSE)),
    "terminal codes outside": lambda: nemo(CONFIG, b"", member("../\x1b[2J\udcff", b"x")),
    "long name outside": lambda: nemo(CONFIG, b"", member("../" + "x" * 100_000, b"x")),
    "weights of the older form": lambda: nemo(CONFIG, b"\x80\x02}q\x00." + weights()),
    "weights that ask for memory": lambda: nemo(CONFIG, weights(MEMORY)),
    "link behind": lambda: nemo(CONFIG, b"", member("x", kind=tarfile.SYMTYPE, link="/etc")),
    "pipe behind": lambda: nemo(CONFIG, b"", member("x", kind=tarfile.FIFOTYPE)),
    "device behind": lambda: nemo(CONFIG, b"", member("x", kind=tarfile.CHRTYPE)),
    "holes": _holes,
    "weights that unpack": lambda: nemo(CONFIG, weights(packed=True)),
    "doubled tuples": lambda: nemo(CONFIG, weights(doubled(60))),
    "weights of noise": lambda: nemo(CONFIG, os.urandom(10_000)),
    "no weights": lambda: tar(member("./model_config.yaml", CONFIG.encode())),
    "packed weights": lambda: gzip.compress(
        nemo(CONFIG, b"", member("x.bin", bytes(100_000_000))), 1
    ),
    "cut short": lambda: nemo(CONFIG, b"", member("x.bin", os.urandom(50_000)))[:30_000],
}


def _chain() -> bytes:
    """Notes that are followed by notes, thousands of times."""
    note = tarfile.TarInfo("n")
    note.type = tarfile.XHDTYPE
    return note.tobuf() * 20_000 + nemo()


def write_all(folder: Path, made: dict[str, Callable[[], bytes]]) -> list[Path]:
    """Each of them as a `.nemo` file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make in made.items():
        paths.append(folder / f"{name}.nemo")
        paths[-1].write_bytes(make())
    return paths
