"""Start a node, or say what it lacks: `python -m deploy.ros ros1`, or `ros2`."""

import importlib
import sys

from utils.command_line.ending import leave

NODES = {"ros1", "ros2"}


def main(arguments: list[str]) -> int:
    """Run the node that is named first; ROS reads the other arguments itself."""
    if not arguments or arguments[0] not in NODES:
        print(f"say which node: {' or '.join(sorted(NODES))}", file=sys.stderr)
        return 2
    try:
        node = importlib.import_module(f"deploy.ros.{arguments[0]}")
    except ModuleNotFoundError as err:
        print(
            f"{err.name} is missing; source the setup file of ROS and of the workspace, and make "
            "this environment, as deploy/ros/README.md says",
            file=sys.stderr,
        )
        return 1
    return node.main()


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
