"""Graphs of the Neuromorphic Intermediate Representation: read, run step by step, written."""
