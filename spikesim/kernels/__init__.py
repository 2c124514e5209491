"""Numba alone: compiling and its cache, intrinsics, functions, keyed numbers, the barrier."""
