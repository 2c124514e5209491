"""Kernels, the generator, the assembler, and the runs."""
