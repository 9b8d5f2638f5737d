"""The node for ROS 2, over a stand-in for rclpy; the captions are real."""

import importlib
import os
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from deploy.ros.pcm import Audio
from tests.deploy.ros.sound import HOME
from tests.deploy.ros.stand_in import Ros2, install
from utils.audio import SAMPLE_RATE, pcm16

BLOCK = 512  # samples of a message
BEGAN_S = 1_700_000_000  # the sender's clock
INT16, FLOAT32 = 8, 1  # as PortAudio numbers them


def wait_for(what: Callable[[], object]) -> None:
    until_s = time.monotonic() + 120
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def node_of(ros: Ros2, monkeypatch: pytest.MonkeyPatch) -> Any:
    install(ros, monkeypatch)
    monkeypatch.delitem(sys.modules, "deploy.ros.ros2", raising=False)
    node = importlib.import_module("deploy.ros.ros2")
    monkeypatch.delitem(sys.modules, "deploy.ros.ros2")
    return node


def message(samples: np.ndarray, at: int, form: int = INT16) -> Any:
    audio, header = sys.modules["audio_common_msgs.msg"], sys.modules["std_msgs.msg"]
    second, rest = divmod(at, SAMPLE_RATE)
    stamp = sys.modules["builtin_interfaces.msg"].Time(
        sec=BEGAN_S + second, nanosec=rest * 10**9 // SAMPLE_RATE
    )
    return audio.AudioStamped(
        header=header.Header(stamp=stamp, frame_id="head"),
        audio=audio.Audio(
            audio_data=audio.AudioData(int16_data=pcm16(samples).tolist()),
            info=audio.AudioInfo(format=form, channels=1, rate=SAMPLE_RATE, chunk=BLOCK),
        ),
    )


def test_words_come_on_the_topic(monkeypatch):
    ros = Ros2({"language": "en", "emotion": False, "sounds": False})
    node = node_of(ros, monkeypatch)
    made: list[Audio] = []

    def audio(*given: Any) -> Audio:
        made.append(Audio(*given))
        return made[-1]

    monkeypatch.setattr(node, "Audio", audio)
    codes: list[int] = []
    running = threading.Thread(target=lambda: codes.append(node.main()))
    running.start()
    wait_for(lambda: ("info", "Listening.") in ros.log)
    kind, qos = ros.heard["audio"]
    assert (kind.__name__, qos.reliability) == ("AudioStamped", "best effort")
    ros.send("audio", message(np.zeros(BLOCK, np.float32), 0, FLOAT32))
    wait_for(lambda: any("samples as 32-bit floats" in text for _, text in ros.log))
    speech, _ = soundfile.read(HOME / "tests/data/speech.flac", dtype="float32")
    sound = np.concatenate([speech, np.zeros(SAMPLE_RATE, np.float32)])
    for at in range(0, len(sound) - BLOCK, BLOCK):
        ros.send("audio", message(sound[at : at + BLOCK], at))
        wait_for(lambda: made[0].queue_depth < 16)
    captions = ros.published["captions"]
    wait_for(lambda: captions and captions[-1].final)
    ros.shutdown()
    running.join(60)
    assert codes == [0] and ros.destroyed
    *growing, last = captions
    assert last.text.startswith("I can assure you that this is a modern face"), last.text
    assert not any(line.final for line in growing)
    assert (last.line, last.language, last.header.frame_id) == (0, "en", "head")
    assert 0 <= last.header.stamp.sec - BEGAN_S <= 1  # its first word, by the sender's clock
    assert 4 < last.end_s - last.begin_s < 7
    assert ros.published["emotion"] == []


def test_both_launch_files_take_the_same_and_start_the_same(monkeypatch):
    install(Ros2({}), monkeypatch)
    folder = HOME / "deploy/ros/recognition_helpers/launch"
    launched = runpy.run_path(str(folder / "captions.launch.py"))["generate_launch_description"]()
    *arguments, node = launched
    root = ElementTree.parse(folder / "captions.launch").getroot()
    told = {each.get("name"): (each.get("default"), each.get("doc")) for each in root.iter("arg")}
    assert {a.given[0]: (a.default_value, a.description) for a in arguments} == told
    other = root.find("node")
    assert other is not None
    names = [each.get("from") for each in other.iter("remap")]
    assert [name for name, _ in node.remappings] == names
    assert [*node.parameters[0]] == [each.get("name") for each in other.iter("param")]
    assert {*told} == {*names, *node.parameters[0]}
    assert (node.package, node.executable) == (other.get("pkg"), other.get("type"))


@pytest.mark.parametrize(
    ("given", "why"),
    [({"pace": "slow"}, "pace slow: expected"), ({"channels": "two"}, "'channels'")],
)
def test_a_parameter_that_cannot_be_is_told_and_ends_it(given, why, monkeypatch):
    ros = Ros2(given)
    assert node_of(ros, monkeypatch).main() == 1
    assert ros.log[-1][0] == "fatal" and why in ros.log[-1][1]
    assert ros.destroyed and not ros.running


def test_a_recogniser_that_is_missing_is_told_and_ends_it(monkeypatch):
    ros = Ros2({"asr": "vosk", "model": "/no/such/model", "language": "ko", "emotion": False})
    assert node_of(ros, monkeypatch).main() == 1
    assert ros.log[-1][0] == "error" and "/no/such/model" in ros.log[-1][1]


@pytest.mark.parametrize(
    ("name", "code", "told"), [("ros2", 1, "rclpy is missing"), ("", 2, "say")]
)
def test_without_ros_it_says_what_to_do(name, code, told):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-m", "deploy.ros", name]
    ended = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, text=True)
    assert ended.returncode == code
    assert ended.stderr.startswith(told) and len(ended.stderr.splitlines()) == 1
