"""The node for ROS 1, started by its launch file, heard and read over topics of a real master."""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.ros.sound import HOME, WORDS, mp3_messages, pcm, said
from tests.program import PATIENCE_S, free_port

SYSTEM = "/usr/bin/python3"  # Debian's, to which its ROS belongs
GENPY = Path("/usr/lib/genpy/genmsg_py.py")
STANDARD = Path("/usr/share/std_msgs/msg")
NEEDED = "apt install python3-rospy python3-roslaunch ros-std-msgs"
VERSION = sysconfig.get_python_version()
AUDIO = {  # of ros-drivers/audio_common, which Debian has not
    "AudioData": "uint8[] data\n",
    "AudioDataStamped": "std_msgs/Header header\naudio_common_msgs/AudioData audio\n",
    "AudioInfo": (
        "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\n"
        "string coding_format\n"
    ),
}
PACKAGE = (
    '<package format="2"><name>audio_common_msgs</name><version>0.3.17</version>'
    '<description>-</description><maintainer email="n@example.org">n</maintainer>'
    "<license>BSD</license></package>"
)
CLIENT = f"""
import json, sys, time
import rospy
from audio_common_msgs.msg import AudioData, AudioDataStamped, AudioInfo
from recognition_helpers_msgs.msg import Caption, Emotion
from rosgraph_msgs.msg import Log
from std_msgs.msg import Header

folder = sys.argv[1]
captions, emotions, log, sent = [], [], [], []

def line(message):
    fields = {{name: getattr(message, name) for name in message.__slots__ if name != "header"}}
    return {{**fields, "stamp_s": message.header.stamp.to_sec(), "frame": message.header.frame_id}}

def felt():
    "A line may be heard from its middle on, before this: too little for a feeling."
    return any(c["final"] and {WORDS!r} in c["text"] and c["emotion"] for c in captions)

def refused():
    return any("only 16-bit PCM can be heard" in text for text in log)

rospy.init_node("microphone")
rospy.Subscriber("captions", Caption, lambda message: captions.append(line(message)))
rospy.Subscriber("emotion", Emotion, lambda message: emotions.append(line(message)))
rospy.Subscriber("rosout", Log, lambda message: log.append(message.msg))
info = rospy.Publisher("hall/audio_info", AudioInfo, queue_size=1, latch=True)
info.publish(AudioInfo(2, 16000, "S16LE", 0, "wave"))
audio = rospy.Publisher("hall/audio", AudioDataStamped, queue_size=100)

def send(messages, seconds, until):
    "As a microphone does, again and again."
    due = time.time()
    while not until():
        for data in messages:
            stamp = rospy.Time.from_sec(due)
            sent.append(due)
            audio.publish(AudioDataStamped(Header(stamp=stamp, frame_id="head"), AudioData(data)))
            due += seconds
            time.sleep(max(0, due - time.time()))

sound = open(folder + "/sound.pcm", "rb").read()
blocks = [sound[at : at + 4 * 512] for at in range(0, len(sound), 4 * 512)]
mp3 = [bytes.fromhex(text) for text in json.load(open(folder + "/mp3.json"))]
send(blocks, 512 / 16000, felt)
send(mp3, 1152 / 16000, refused)
json.dump([captions, emotions, log, sent[0], sent[-1]], open(folder + "/heard.json", "w"))
"""


@pytest.fixture
def python(tmp_path) -> Path:
    """Debian's Python with the program's packages before its own, as the README has it made."""
    if not (GENPY.exists() and (STANDARD / "Header.msg").exists() and shutil.which("roslaunch")):
        pytest.skip(f"no ROS 1: {NEEDED}")
    code = "import rospy, sysconfig; print(sysconfig.get_python_version())"
    asked = subprocess.run([SYSTEM, "-c", code], capture_output=True, text=True)
    if asked.stdout.strip() != VERSION:
        pytest.skip(f"ROS 1 here is not for Python {VERSION}: {NEEDED}")
    home = tmp_path / "program"
    home.mkdir()
    for name in ("app.py", "emotion_model.py", "utils", "web", "deploy", "model_state_dict"):
        (home / name).symlink_to(HOME / name)
    environment = [SYSTEM, "-m", "venv", "--without-pip", "--system-site-packages", ".venv"]
    subprocess.run(environment, cwd=home, check=True)
    packages = home / f".venv/lib/python{VERSION}/site-packages"
    (packages / "program.pth").write_text(sysconfig.get_path("purelib"))
    return home / ".venv/bin/python"


@pytest.fixture
def workspace(tmp_path, python) -> Path:
    """What a catkin workspace would have of our packages and of audio_common's."""
    packages = tmp_path / "packages"
    shutil.copytree(HOME / "deploy/ros/recognition_helpers", packages / "recognition_helpers")
    ours = HOME / "deploy/ros/recognition_helpers_msgs"
    shutil.copytree(ours, packages / "recognition_helpers_msgs")
    (packages / "audio_common_msgs/msg").mkdir(parents=True)
    (packages / "audio_common_msgs/package.xml").write_text(PACKAGE)
    for name, text in AUDIO.items():
        (packages / f"audio_common_msgs/msg/{name}.msg").write_text(text)
    node = packages / "recognition_helpers/captions_node"
    text = node.with_suffix(".in").read_text()
    home = str(python.parents[2])
    node.write_text(text.replace("@HOME@", home).replace("@NODE@", "ros1"))
    node.chmod(0o755)
    for name in ("audio_common_msgs", "recognition_helpers_msgs"):
        generate(packages, name, tmp_path / "python")
    return packages


def generate(packages: Path, name: str, out: Path) -> None:
    """Make the Python classes of a package of messages, as catkin has them made."""
    to = out / name / "msg"
    to.mkdir(parents=True)
    (to.parent / "__init__.py").touch()
    messages = sorted((packages / name / "msg").glob("*.msg"))
    known = [f"-Istd_msgs:{STANDARD}", f"-I{name}:{packages / name / 'msg'}"]
    for message in messages:
        command = [SYSTEM, str(GENPY), str(message), *known, "-p", name, "-o", str(to)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([SYSTEM, str(GENPY), "--initpy", "-p", name, "-o", str(to)], check=True)


@pytest.fixture
def launched(tmp_path, workspace) -> Iterator[dict[str, str]]:
    """The environment of a ROS in which the node runs with a master of its own."""
    port = free_port()
    environment = {
        **os.environ,
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
        "ROS_IP": "127.0.0.1",
        "ROS_HOME": str(tmp_path / "ros"),
        "ROS_PACKAGE_PATH": str(workspace),
        "PYTHONPATH": str(tmp_path / "python"),
        "OMP_NUM_THREADS": "1",
    }
    topics = ["audio:=hall/audio", "audio_info:=hall/audio_info", "stamped:=true"]
    command = ["roslaunch", "-p", str(port), "recognition_helpers", "captions.launch", *topics]
    with (tmp_path / "launch.log").open("w") as log:
        started = subprocess.Popen(
            [*command, "sample_rate:=8000"], env=environment, stdout=log, stderr=log
        )
        try:
            yield environment
        finally:
            started.send_signal(signal.SIGINT)
            assert started.wait(PATIENCE_S) == 0


def test_a_robot_hears_captions_and_emotion_over_real_topics(launched, python, tmp_path):
    (tmp_path / "sound.pcm").write_bytes(pcm(said(), channels=2))
    mp3 = [message.hex() for message in mp3_messages(tmp_path)]
    (tmp_path / "mp3.json").write_text(json.dumps(mp3))
    command = [str(python), "-c", CLIENT, str(tmp_path)]
    client = subprocess.run(
        command, env=launched, timeout=2 * PATIENCE_S, capture_output=True, text=True
    )
    told = (tmp_path / "launch.log").read_text()
    assert client.returncode == 0, client.stderr + told
    captions, emotions, log, first_s, last_s = json.loads((tmp_path / "heard.json").read_text())
    ended = [line for line in captions if line["final"] and WORDS in line["text"]]
    (first, *_) = [line for line in ended if line["emotion"]]
    assert first["frame"] == "head" and first["language"] == "en"
    assert first_s - 2 < first["stamp_s"] < last_s
    assert 1 < first["end_s"] - first["begin_s"] < 5
    felt = [emotion for emotion in emotions if emotion["line"] == first["line"]][-1]
    assert (first["emotion"], felt["label"]) == ("angry", "angry")
    assert felt["grade"] == first["grade"] in {"sure", "likely"}
    assert sum(felt["scores"]) == pytest.approx(1, abs=1e-3)
    assert felt["classes"][felt["scores"].index(max(felt["scores"]))] == "angry"
    assert any("/hall/audio (AudioDataStamped) is 16000 Hz, 2 channels" in text for text in log)
    assert any("brings MP3, and only 16-bit PCM can be heard" in text for text in log)
