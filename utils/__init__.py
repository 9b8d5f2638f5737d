"""The parts that captions are made of: audio, segmentation, recognition, features."""
