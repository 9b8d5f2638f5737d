"""As much of ROS 2 as the node uses: rclpy cannot be had without ROS.

What rclpy refuses is refused here too: a field of another type, a logger's place that changes its
level, a parameter of another type, a message of another class, and anything after the shutdown.
"""

import inspect
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

OURS = Path(__file__).resolve().parents[3] / "deploy/ros/recognition_helpers_msgs/msg"
TAKEN_S = 120.0  # in which the node must take a message
HEADER = "builtin_interfaces/Time stamp\nstring frame_id"
MESSAGES = {
    "builtin_interfaces": {"Time": "int32 sec\nuint32 nanosec"},
    "std_msgs": {"Header": HEADER},
    "audio_common_msgs": {  # of mgonzs13/audio_common
        "AudioData": "int16[] int16_data",
        "AudioInfo": "int32 format\nint32 channels\nint32 rate\nint32 chunk",
        "Audio": "audio_common_msgs/AudioData audio_data\naudio_common_msgs/AudioInfo info",
        "AudioStamped": "std_msgs/Header header\naudio_common_msgs/Audio audio",
    },
    "recognition_helpers_msgs": {path.stem: path.read_text() for path in OURS.glob("*.msg")},
}
PLAIN = {"bool": bool, "string": str, "float": float, "int": int, "uint": int}


class Message:
    """Base of messages, whose fields keep their types."""

    fields: dict[str, tuple[type, bool]] = {}  # name -> type, and whether many of it

    def __init__(self, **given: Any) -> None:
        assert given.keys() <= self.fields.keys(), given.keys() - self.fields.keys()
        for name, (kind, many) in self.fields.items():
            setattr(self, name, given.get(name, [] if many else kind()))

    def __setattr__(self, name: str, value: Any) -> None:
        kind, many = self.fields[name]
        for each in value if many else [value]:
            assert type(each) is kind, f"{type(self).__name__}.{name}: {each!r}"
        object.__setattr__(self, name, value)


def message_class(name: str, text: str, known: dict[str, type]) -> type:
    """The class of a message's definition."""
    fields = {}
    for line in text.splitlines():
        if words := line.split("#")[0].split():
            kind = words[0].removesuffix("[]")
            plain = PLAIN.get(kind.rstrip("0123456789"))
            fields[words[1]] = plain or known[kind], words[0].endswith("[]")
    return type(name, (Message,), {"fields": fields})


class ParameterException(Exception):
    """What a parameter of another type raises."""


class Logger:
    """Notes what is said, each place in the code at one level."""

    def __init__(self, said: list[tuple[str, str]]) -> None:
        self._said = said
        self._levels: dict[tuple[str, int], str] = {}

    def __getattr__(self, level: str) -> Callable[[str], None]:
        assert level in {"info", "warning", "error", "fatal"}, level

        def say(text: str) -> None:
            caller = inspect.stack()[1]
            place = caller.filename, caller.lineno
            if self._levels.setdefault(place, level) != level:
                raise ValueError("Logger severity cannot be changed between calls.")
            self._said.append((level, text))

        return say


class Ros2:
    """One node and its topics.

    Parameters
    ----------
    parameters : that a launch file gives the node

    Attributes
    ----------
    published : topic -> messages
    heard : topic -> its class and the quality of service
    log : level and text
    """

    def __init__(self, parameters: dict[str, object]) -> None:
        self.published: dict[str, list[Any]] = {}
        self.heard: dict[str, tuple[type, Any]] = {}
        self.log: list[tuple[str, str]] = []
        self.running = False
        self.destroyed = False
        self._given = parameters
        self._calls: dict[str, Callable[[Any], None]] = {}
        self._waiting: queue.Queue[tuple[str, Any, threading.Event]] = queue.Queue()
        self.logger = Logger(self.log)

    def send(self, topic: str, message: Any) -> None:
        """As another node does, and wait until the node has taken it: it falls no further behind
        what is sent than on a machine of its own."""
        assert isinstance(message, self.heard[topic][0])
        taken = threading.Event()
        self._waiting.put((topic, message, taken))
        assert taken.wait(TAKEN_S), topic

    # What `rclpy` and its node are called for

    def init(self) -> None:
        self.running = True

    def ok(self) -> bool:
        return self.running

    def shutdown(self) -> None:
        assert self.running
        self.running = False

    def create_node(self, name: str) -> "Ros2":
        assert self.running
        return self

    def spin_once(self, node: "Ros2", *, timeout_sec: float) -> None:
        try:
            topic, message, taken = self._waiting.get(timeout=timeout_sec)
        except queue.Empty:
            return
        self._calls[topic](message)
        taken.set()

    def declare_parameter(self, name: str, default: object) -> SimpleNamespace:
        value = self._given.get(name, default)
        if type(value) is not type(default):
            raise ParameterException(f"Trying to set parameter '{name}' to '{value}'")
        return SimpleNamespace(value=value)

    def resolve_topic_name(self, topic: str) -> str:
        return f"/{topic}"

    def create_publisher(self, kind: type, topic: str, qos: int) -> SimpleNamespace:
        sent = self.published[topic] = []

        def publish(message: Any) -> None:
            assert self.running and type(message) is kind
            sent.append(message)

        return SimpleNamespace(publish=publish)

    def create_subscription(self, kind: type, topic: str, call: Any, qos: Any) -> None:
        self.heard[topic], self._calls[topic] = (kind, qos), call

    def get_clock(self) -> SimpleNamespace:
        return SimpleNamespace(now=lambda: Time(nanoseconds=time.time_ns()))

    def get_logger(self) -> Logger:
        return self.logger

    def destroy_node(self) -> None:
        self.destroyed = True


class Time:
    """`rclpy.time.Time`."""

    def __init__(self, *, nanoseconds: int) -> None:
        self.nanoseconds = nanoseconds

    def to_msg(self) -> Any:
        sec, nanosec = divmod(self.nanoseconds, 10**9)
        return sys.modules["builtin_interfaces.msg"].Time(sec=sec, nanosec=nanosec)  # type: ignore


def noted(*given: object, **named: object) -> SimpleNamespace:
    """What was called for, of a class that only holds it."""
    return SimpleNamespace(given=given, **named)


def install(ros: Ros2, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the node's imports find what is here."""

    def module(name: str, **values: object) -> None:
        made = ModuleType(name)
        vars(made).update(values)
        monkeypatch.setitem(sys.modules, name, made)

    names = "init ok shutdown create_node spin_once".split()
    module("rclpy", **{name: getattr(ros, name) for name in names})
    module("rclpy.exceptions", ParameterException=ParameterException)
    module("rclpy.executors", ExternalShutdownException=type("Ended", (Exception,), {}))
    policy = SimpleNamespace(BEST_EFFORT="best effort", TRANSIENT_LOCAL="transient local")
    module(
        "rclpy.qos", QoSProfile=SimpleNamespace, ReliabilityPolicy=policy, DurabilityPolicy=policy
    )
    module("rclpy.time", Time=Time)
    module("launch", LaunchDescription=list)
    module("launch.actions", DeclareLaunchArgument=noted)
    module("launch.substitutions", LaunchConfiguration=noted)
    module("launch_ros.actions", Node=noted)
    module("launch_ros.parameter_descriptions", ParameterValue=noted)
    known: dict[str, type] = {}
    for package, messages in MESSAGES.items():
        for name, text in messages.items():
            known[f"{package}/{name}"] = message_class(name, text, known)
        made = {name: known[f"{package}/{name}"] for name in messages}
        module(f"{package}.msg", **made)
        module(package, msg=sys.modules[f"{package}.msg"])
