"""Start the node that captions an audio topic."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

TOPICS = {
    "audio": ("audio", "the topic that is heard"),
    "audio_info": ("audio_info", "the topic that tells its rate and channels"),
}
PARAMETERS: dict[str, tuple[str, type, str]] = {
    "stamped": ("false", bool, "it brings AudioDataStamped, not AudioData"),
    "sample_rate": ("16000", int, "where nothing tells it"),
    "channels": ("1", int, "where nothing tells them"),
    "language": ("en", str, "that is spoken, such as en or ko"),
    "emotion": ("true", bool, "whether emotion is estimated"),
}


def generate_launch_description() -> LaunchDescription:
    """The node, and what can be said to it."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=what)
        for name, (default, *_, what) in {**TOPICS, **PARAMETERS}.items()
    ]
    parameters = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, (_, kind, _) in PARAMETERS.items()
    }
    # What cannot go on ends, and says why; it is started anew.
    node = Node(
        package="recognition_helpers",
        executable="captions_node",
        name="captions",
        output="screen",
        respawn=True,
        respawn_delay=10.0,
        parameters=[parameters],
        remappings=[(name, LaunchConfiguration(name)) for name in TOPICS],
    )
    return LaunchDescription([*arguments, node])
