"""Files of features: what is written is read, what was edited is refused, and they merge."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
from tqdm import tqdm

from training.corpora import Clip
from training.features import table as table_module
from training.features.merge import merge, read_map
from training.features.table import CLEAN, LEADING, NOISY, Table, load
from utils.errors import DataError

COLUMNS = ("mfcc_1", "mfcc_2", "mel_1")
FEATURES = "mfcc+mel 16000 Hz, hop 10 ms, mean"


def clip_of(number: int, label: str, corpus: str = "tess") -> Clip:
    gender = "female" if number % 2 else None
    return Clip(Path(f"a, b/{number}.wav"), label, f"{corpus}-{number % 3}", corpus, "en", gender)


def table_of(*labels: str, corpus: str = "tess", copies: bool = False, shape=(3,)) -> Table:
    rng = np.random.default_rng(len(labels))
    clips = [clip_of(k, label, corpus) for k, label in enumerate(labels)]
    names = [CLEAN, NOISY] if copies else [CLEAN]
    n = len(clips) * len(names)
    return Table(
        FEATURES,
        COLUMNS,
        rng.standard_normal((n, *shape)).astype(np.float32),
        tuple(clip for clip in clips for _ in names),
        np.array(names * len(clips)),
        np.arange(n) / 4,
    )


@pytest.mark.parametrize("ending", ["csv", "npz"])
@pytest.mark.parametrize("copies", [False, True])
def test_what_was_written_is_read(ending: str, copies: bool, tmp_path: Path) -> None:
    table = table_of("happy", "sad", "fear", copies=copies)
    table.save(tmp_path / "new" / f"features.{ending}")
    again = load(tmp_path / "new" / f"features.{ending}")
    assert (again.features, again.columns) == (FEATURES, COLUMNS)
    assert again.clips == table.clips
    np.testing.assert_allclose(again.values, table.values, rtol=1e-5)
    np.testing.assert_array_equal(again.start_s, table.start_s)
    assert again.copy.tolist() == table.copy.tolist()
    assert [p.name for p in (tmp_path / "new").iterdir()] == [f"features.{ending}"]


def test_what_is_told_of_rows_takes_little_beside_their_values(tmp_path: Path) -> None:
    clips = tuple(clip_of(k // 100, "happy", "a-long-name-of-a-corpus") for k in range(5000))
    values = np.random.default_rng(0).standard_normal((5000, 3)).astype(np.float32)
    copies, starts = np.full(5000, CLEAN), np.arange(5000) / 100
    Table(FEATURES, COLUMNS, values, clips, copies, starts).save(tmp_path / "frames.npz")
    assert (tmp_path / "frames.npz").stat().st_size < 1.5 * values.nbytes
    assert load(tmp_path / "frames.npz").clips == clips


class Stopped(tqdm):
    """Ctrl-C once a part of a file is written."""

    def __iter__(self):
        yield from list(self.iterable)[:1]
        raise KeyboardInterrupt


@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_ctrl_c_leaves_the_older_file_and_nothing_beside_it(
    ending: str, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / f"features.{ending}"
    table_of("happy", "sad").save(path)
    before = path.read_bytes()
    monkeypatch.setattr(table_module, "tqdm", Stopped)
    with pytest.raises(KeyboardInterrupt):
        table_of("fear", "sad", "happy").save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_pandas_reads_the_csv(tmp_path: Path) -> None:
    table = table_of("happy", "sad", "happy")
    table.save(tmp_path / "features.csv")
    frame = pandas.read_csv(tmp_path / "features.csv")
    assert list(frame.columns) == [*LEADING, *COLUMNS]
    assert frame.groupby("label").size().to_dict() == {"happy": 2, "sad": 1}
    np.testing.assert_allclose(frame[list(COLUMNS)], table.values, rtol=1e-5)
    frame.to_csv(tmp_path / "again.csv", index=False)
    assert load(tmp_path / "again.csv").clips == table.clips


def test_frames_late_in_a_long_recording_stay_apart(tmp_path: Path) -> None:
    table = replace(table_of("happy", "happy"), clips=(clip_of(0, "happy"),) * 2)
    replace(table, start_s=np.array([1234.567, 1234.568])).save(tmp_path / "frames.csv")
    assert load(tmp_path / "frames.csv").start_s.tolist() == [1234.567, 1234.568]


def test_pictures_go_into_an_npz_alone(tmp_path: Path) -> None:
    table = table_of("happy", "sad", shape=(3, 8))
    table.save(tmp_path / "pictures.npz")
    assert load(tmp_path / "pictures.npz").values.shape == (2, 3, 8)
    with pytest.raises(DataError, match="write pictures to an .npz"):
        table.save(tmp_path / "pictures.csv")
    with pytest.raises(DataError, match="ends in .csv or .npz"):
        table.save(tmp_path / "pictures.xlsx")
    assert [p.name for p in tmp_path.iterdir()] == ["pictures.npz"]


def edited(path: Path, change) -> None:
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [row.pop(4) for row in rows], "no column label; was it edited"),
        (lambda rows: [row.pop(0) for row in rows], "no column features; .*an older version"),
        (lambda rows: [row.insert(0, "") for row in rows], "column 1 has no name.*index=False"),
        (
            lambda rows: [row.append("Unnamed: 0" if row is rows[0] else "5") for row in rows],
            "column 14 has no name",
        ),
        (lambda rows: rows[2].pop(), "line 3 has 12 values, the header 13"),
        (lambda rows: rows[2].append("1"), "line 3 has 14 values, the header 13"),
        (lambda rows: rows[1].__setitem__(-1, "1,5"), "line 2, column mel_1: '1,5', .*a finite"),
        (lambda rows: rows[2].__setitem__(-1, "nan"), "line 3, column mel_1: 'nan', .*a finite"),
        (lambda rows: rows[2].__setitem__(-2, "-inf"), "line 3, column mfcc_2: '-inf', .*a finite"),
        (lambda rows: rows[1].__setitem__(-1, "1e39"), "line 2, column mel_1: '1e39', .*a finite"),
        (lambda rows: rows[1].__setitem__(9, ""), "line 2, column start_s: '', expected a finite"),
        (lambda rows: rows[2].__setitem__(9, "-1"), "line 3, column start_s: '-1', .* from 0 on"),
        (lambda rows: rows[2].__setitem__(8, "loud"), "line 3, column copy: 'loud', .*clean or"),
        (lambda rows: rows[1].__setitem__(4, ""), "line 2, column label: '', expected a text"),
        (lambda rows: rows[1].__setitem__(0, ""), "line 2, column features: '', expected a text"),
        (
            lambda rows: rows[2].__setitem__(0, "mfcc 8000 Hz"),
            "line 3, column features: 'mfcc 8000 Hz', expected 'mfcc.* as in line 2",
        ),
        (lambda rows: rows.append(rows[1]), "line 4 is of the same clip, .* as line 2; leave one"),
        (lambda rows: rows[0].__setitem__(-1, "mfcc_1"), "the column mfcc_1 stands twice"),
        (lambda rows: rows.__delitem__(slice(1, None)), "no row below the header"),
        (lambda rows: rows.clear(), "no column features, path"),
    ],
)
def test_a_csv_that_was_edited_is_refused_with_the_place(
    change, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "features.csv"
    table_of("happy", "sad").save(path)
    edited(path, change)
    with pytest.raises(DataError, match=f"{path}: .*{message}"):
        load(path)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file; make it with `python -m training extract"):
        load(tmp_path / "none.csv")
    path = tmp_path / "features.npz"
    table_of("happy", "sad").save(path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match=f"{path}: not a readable file of features"):
        load(path)
    np.savez(path, values=np.zeros(3))
    with pytest.raises(DataError, match="format None, expected recognition-helpers/features/2"):
        load(path)
    table_of("happy", "sad").save(tmp_path / "features.csv")
    path.write_bytes((tmp_path / "features.csv").read_bytes())
    with pytest.raises(DataError, match="it is no NPZ, .*; make it with") as told:
        load(path)
    assert "pickle" not in str(told.value)
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a readable CSV"):
        load(tmp_path / "odd.csv")


# --- merge


def test_labels_are_mapped_and_small_classes_dropped_and_said() -> None:
    tables = {
        "one": table_of("happy", "calm", "neutral", "sad", copies=True),
        "two": table_of("happy", "fear", "neutral", corpus="savee", copies=True),
    }
    merged, said = merge(tables, {"calm": "neutral", "sad": ""}, 2)
    assert [clip.label for clip in merged.clips[::2]] == ["happy", "neutral", "neutral"] + [
        "happy",
        "neutral",
    ]
    assert merged.copy.tolist() == [CLEAN, NOISY] * 5
    assert {clip.corpus for clip in merged.clips} == {"tess", "savee"}
    assert said == [
        "fear: dropped, 1 recording and not 2",
        "happy: 2 recordings",
        "neutral: 3 recordings",
    ]
    np.testing.assert_array_equal(merged.values[:2], tables["one"].values[:2])


@pytest.mark.parametrize(
    ("other", "labels", "least", "message"),
    [
        (
            replace(table_of("happy", corpus="savee"), features="mfcc 8000 Hz, hop 10 ms, mean"),
            {},
            1,
            "two is of mfcc 8000 Hz, hop 10 ms, mean; one of mfcc.* 16000 Hz, .* same settings",
        ),
        (table_of("happy", corpus="savee", shape=(3, 5)), {}, 1, "two has 3 x 5 values"),
        (table_of("happy"), {}, 1, "stands in one and in two"),
        (table_of("happy", corpus="savee"), {"bored": "sad"}, 1, "labelled bored, found happy"),
        (table_of("happy", corpus="savee"), {}, 3, "no class has 3 recordings; found happy 2"),
    ],
)
def test_what_does_not_merge_is_told(other: Table, labels: dict, least: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        merge({"one": table_of("happy"), "two": other}, labels, least)


def test_a_map_is_read_as_it_is_written() -> None:
    assert read_map(["excited=happy", "calm = neutral", "bored="]) == {
        "excited": "happy",
        "calm": "neutral",
        "bored": "",
    }
    for texts in (["calm"], ["=happy"], ["calm=sad", "calm=neutral"]):
        with pytest.raises(DataError, match="--map"):
            read_map(texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"copy": np.array(["dirty", CLEAN])}, "copy 'dirty', expected clean or noisy"),
        ({"start_s": np.array([-1.0, 0.0])}, "starts that are no seconds from 0 on"),
        ({"start_s": np.array([np.nan, 0.0])}, "starts that are no seconds from 0 on"),
        ({"start_s": np.zeros((2, 2))}, "another shape"),
        ({"values": np.zeros(2, np.float32)}, "another shape"),
        ({"columns": ("a", "a", "b")}, "two columns of one name"),
    ],
)
def test_an_edited_npz_is_refused_as_a_csv_is(change: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(table_of("happy", "sad"), **change)
