"""Captions and emotion on a robot: a node for ROS 1 and one for ROS 2, over one core.

`pcm` takes the bytes of audio messages and gives the program's frames, `captions` runs the live
session on them; neither knows ROS. `ros1` and `ros2` are the nodes, `audio_messages` what they
know of other people's messages; `python -m deploy.ros` starts one.
"""
