"""The node for ROS 2: an audio topic in, `captions` and `emotion` out."""

from typing import Any

import rclpy
from audio_common_msgs import msg as audio_messages
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from recognition_helpers_msgs import msg as messages
from std_msgs.msg import Header

from deploy.ros.audio_messages import Ear, info_kind, kind
from deploy.ros.captions import Caption, Captions, Feeling, Level, Outlet, gather, gather_form
from deploy.ros.pcm import Audio
from utils.errors import AppError

QUEUE = 100  # messages, of sound and of lines
LOOK_S = 0.5  # between looks whether it has ended by itself
# Whoever sends reliably reaches this subscriber, and whoever does not.
SOUND = QoSProfile(depth=QUEUE, reliability=ReliabilityPolicy.BEST_EFFORT)
# What was told of the sound before this node came reaches it, too.
INFO = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def main() -> int:
    """Run the node; return 1 where it could not go on."""
    rclpy.init()
    node = rclpy.create_node("captions")
    try:
        return run(node)
    except (AppError, ParameterException) as err:
        node.get_logger().fatal(str(err))
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    finally:
        node.destroy_node()
        if rclpy.ok():
            rclpy.shutdown()


def run(node: Any) -> int:
    """Caption until ROS shuts the node down, or it cannot go on.

    Raises
    ------
    AppError : a parameter cannot be
    """

    def parameter(name: str, default: str | int | bool) -> object:
        return node.declare_parameter(name, default).value

    settings, form = gather(parameter), gather_form(parameter)
    heard, read = kind(audio_messages, bool(parameter("stamped", False)))
    topic = f"{node.resolve_topic_name('audio')} ({heard.__name__})"
    audio = Audio(topic, form, lambda text: tell(node, "warning", text))
    ear = Ear(audio, read, lambda: node.get_clock().now().nanoseconds / 1e9)
    shown = node.create_publisher(messages.Caption, "captions", QUEUE)
    felt = node.create_publisher(messages.Emotion, "emotion", QUEUE)

    def header(stamp_s: float) -> Any:
        stamp = Time(nanoseconds=max(0, round(stamp_s * 1e9))).to_msg()
        return Header(stamp=stamp, frame_id=ear.frame)

    def caption(line: Caption, stamp_s: float) -> None:
        publish(shown, messages.Caption(header=header(stamp_s), **vars(line)))

    def feeling(line: Feeling, stamp_s: float) -> None:
        publish(felt, messages.Emotion(header=header(stamp_s), **vars(line)))

    outlet = Outlet(caption, feeling, lambda level, text: tell(node, level, text))
    with Captions(settings, audio, outlet) as captions:
        if info := info_kind(audio_messages):
            node.create_subscription(info, "audio_info", ear.describe, INFO)
        node.create_subscription(heard, "audio", ear.hear, SOUND)
        while rclpy.ok() and not captions.failed.is_set():
            rclpy.spin_once(node, timeout_sec=LOOK_S)
    return int(captions.failed.is_set())


def publish(publisher: Any, message: Any) -> None:
    """Send a message, unless the node is being shut down."""
    if rclpy.ok():
        publisher.publish(message)


def tell(node: Any, level: Level, text: str) -> None:
    """Say a sentence in the node's log."""
    # rclpy remembers a level for each place in the code that logs, and refuses another.
    if level == "error":
        node.get_logger().error(text)
    elif level == "warning":
        node.get_logger().warning(text)
    else:
        node.get_logger().info(text)
