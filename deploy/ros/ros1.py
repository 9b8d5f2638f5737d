"""The node for ROS 1: an audio topic in, `captions` and `emotion` out."""

from typing import Any

import rospy
from audio_common_msgs import msg as audio_messages
from recognition_helpers_msgs import msg as messages
from std_msgs.msg import Header

from deploy.ros.audio_messages import Ear, info_kind, kind
from deploy.ros.captions import Caption, Captions, Feeling, Level, Outlet, gather, gather_form
from deploy.ros.pcm import Audio
from utils.errors import AppError

QUEUE = 100  # messages, of sound and of lines
BUFFER = 1 << 20  # bytes: by rospy's 64 kB a slow moment would lose sound


def main() -> int:
    """Run the node; return 1 where it could not go on."""
    rospy.init_node("captions")
    try:
        return run()
    except AppError as err:
        rospy.logfatal("%s", err)
        return 1


def run() -> int:
    """Caption until ROS shuts the node down, or it cannot go on.

    Raises
    ------
    AppError : a parameter cannot be
    """
    settings, form = gather(parameter), gather_form(parameter)
    heard, read = kind(audio_messages, bool(parameter("stamped", False)))
    audio = Audio(f"{rospy.resolve_name('audio')} ({heard.__name__})", form, rospy.logwarn)
    ear = Ear(audio, read, rospy.get_time)
    shown = rospy.Publisher("captions", messages.Caption, queue_size=QUEUE)
    felt = rospy.Publisher("emotion", messages.Emotion, queue_size=QUEUE)

    def header(stamp_s: float) -> Any:
        return Header(stamp=rospy.Time.from_sec(max(0.0, stamp_s)), frame_id=ear.frame)

    def caption(line: Caption, stamp_s: float) -> None:
        publish(shown, messages.Caption(header=header(stamp_s), **vars(line)))

    def feeling(line: Feeling, stamp_s: float) -> None:
        publish(felt, messages.Emotion(header=header(stamp_s), **vars(line)))

    def end() -> None:
        rospy.signal_shutdown("captions have ended")

    with Captions(settings, audio, Outlet(caption, feeling, tell, end)) as captions:
        if info := info_kind(audio_messages):
            rospy.Subscriber("audio_info", info, ear.describe, queue_size=1)
        rospy.Subscriber("audio", heard, ear.hear, queue_size=QUEUE, buff_size=BUFFER)
        rospy.spin()
    return int(captions.failed.is_set())


def parameter(name: str, default: str | int | bool) -> object:
    """A private parameter of the node."""
    return rospy.get_param(f"~{name}", default)


def publish(publisher: Any, message: Any) -> None:
    """Send a message, unless the node is being shut down."""
    if not rospy.is_shutdown():
        publisher.publish(message)


def tell(level: Level, text: str) -> None:
    """Say a sentence in the node's log."""
    {"info": rospy.loginfo, "warning": rospy.logwarn, "error": rospy.logerr}[level]("%s", text)
