"""The parts that captions are made of: audio, segmentation, recognition, features."""

from utils.environment import prepare

prepare()  # before any of them loads a library, whatever begins with them
