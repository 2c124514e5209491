"""NIR's linear nodes as matrices, and the shapes that they make of shapes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from spikesim.conversion.nir.nodes import Node

Shape = tuple[int, ...]


def own_shape(node: Node) -> Shape | None:
    """The shape of what comes into a node, if the node itself tells it."""
    match node.kind:
        case "Affine" | "Linear":
            return (node.values["weight"].shape[1],)
        case "Input" | "Output":
            shape = node.values["shape"]
            return None if shape is None or not shape.size else tuple(map(int, np.ravel(shape)))
    largest = max(
        (v for v in node.values.values() if isinstance(v, np.ndarray)), key=np.size, default=None
    )
    if largest is None or node.kind in ("Flatten", *_SPATIAL) or largest.size == 1:
        return None
    return largest.shape


def out_shape(node: Node, given: Shape) -> Shape:
    """The shape of what goes out of a node, of that of what comes in."""
    match node.kind:
        case "Affine" | "Linear":
            rows = node.values["weight"].shape[0]
            return (rows,) if _flat(node, given) else (*given[:-1], rows)
        case "Flatten":
            first, last = (
                int(node.values[k]) % max(len(given), 1) for k in ("start_dim", "end_dim")
            )
            return (*given[:first], math.prod(given[first : last + 1]), *given[last + 1 :])
        case kind if kind in _SPATIAL:
            return _window(node, given)[0]
    return given


def matrix(node: Node, given: Shape) -> tuple[sparse.csr_array, np.ndarray | None]:
    """What a linear node does to a vector, and what it adds to it, if something."""
    size = math.prod(given)
    match node.kind:
        case "Affine" | "Linear":
            weights, bias = sparse.csr_array(node.values["weight"]), node.values.get("bias")
            if bias is not None and bias.shape != weights.shape[:1]:
                raise ValueError(
                    f"{node}: bias has shape {bias.shape} and weight {weights.shape}; the bias "
                    f"must have shape ({weights.shape[0]},)."
                )
            if _flat(node, given):
                return weights, bias
            times = math.prod(given[:-1])
            whole = sparse.csr_array(sparse.kron(sparse.eye_array(times), weights))
            return whole, None if bias is None else np.tile(bias, times)
        case "Scale":
            scale = np.broadcast_to(node.values["scale"], given).ravel()
            return sparse.csr_array(sparse.diags_array(scale)), None
        case "Conv1d" | "Conv2d":
            return _convolution(node, given)
        case "SumPool2d" | "AvgPool2d":
            return _pooling(node, given), None
    return sparse.csr_array(sparse.eye_array(size)), None


_SPATIAL = {"Conv1d": 1, "Conv2d": 2, "SumPool2d": 2, "AvgPool2d": 2}


def _flat(node: Node, given: Shape) -> bool:
    """Whether what comes into a matrix is one vector, whatever its shape."""
    return math.prod(given) == node.values["weight"].shape[1]


def _numbers(node: Node, name: str, axes: int) -> list[int]:
    return [int(n) for n in np.broadcast_to(np.ravel(node.values[name]), axes)]


def _window(node: Node, given: Shape) -> tuple[Shape, list[int], list[int], list[int], list[int]]:
    """The shape that comes out, and of each axis kernel, stride, padding before and dilation."""
    axes = _SPATIAL[node.kind]
    if len(given) != axes + 1:
        raise ValueError(
            f"{node}: what comes in has shape {given}; it must be (channels, "
            f"{', '.join(('height', 'width')[-axes:])})."
        )
    pools = node.kind.endswith("Pool2d")
    stride = _numbers(node, "stride", axes)
    kernel = _numbers(node, "kernel_size", axes) if pools else list(node.values["weight"].shape[2:])
    dilation = [1] * axes if pools else _numbers(node, "dilation", axes)
    padding = node.values["padding"]
    before = after = [0] * axes
    if isinstance(padding, str) and padding == "same":
        if set(stride) != {1}:
            raise ValueError(f"{node}: stride is {stride}; it must be 1 with padding 'same'.")
        whole = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        before = [w // 2 for w in whole]
        after = [w - b for w, b in zip(whole, before, strict=True)]
    elif isinstance(padding, str) and padding != "valid":
        raise ValueError(f"{node}: padding is {padding!r}; it must be numbers, 'same' or 'valid'.")
    elif not isinstance(padding, str):
        before = after = _numbers(node, "padding", axes)
    out = [
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, a, b, d, k, s in zip(given[1:], before, after, dilation, kernel, stride, strict=True)
    ]
    if min(out) < 1:
        raise ValueError(f"{node}: a kernel of {kernel} does not fit into shape {given}.")
    channels = given[0] if pools else node.values["weight"].shape[0]
    return (channels, *out), kernel, stride, before, dilation


def _taps(
    node: Node, given: Shape
) -> tuple[Shape, list[tuple[tuple[int, ...], np.ndarray, np.ndarray]]]:
    """For each place of a kernel, the places of one channel that it leads from and to."""
    shape, kernel, stride, before, dilation = _window(node, given)
    out = np.stack(np.meshgrid(*map(np.arange, shape[1:]), indexing="ij"), -1).reshape(
        -1, len(kernel)
    )
    taps = []
    for place in itertools.product(*map(range, kernel)):
        at = out * stride - np.array(before) + np.array(place) * dilation
        fits = ((at >= 0) & (at < given[1:])).all(axis=1)
        source = np.ravel_multi_index(tuple(at[fits].T), given[1:])
        taps.append((place, source, np.flatnonzero(fits)))
    return shape, taps


def _convolution(node: Node, given: Shape) -> tuple[sparse.csr_array, np.ndarray]:
    weight, groups = node.values["weight"], int(node.values["groups"])
    made, each = weight.shape[0], weight.shape[1]
    if each * groups != given[0] or made % groups:
        raise ValueError(
            f"{node}: weight has shape {weight.shape} in {groups} group(s) and {given[0]} channels "
            "come in; channels in and out must be shared out to the groups."
        )
    shape, taps = _taps(node, given)
    bias = np.broadcast_to(node.values["bias"], made)
    first = (np.arange(made) // (made // groups) * each)[:, None] + np.arange(each)  # channel in
    rows, columns, values = [], [], []
    inner, outer = math.prod(given[1:]), math.prod(shape[1:])
    for place, source, target in taps:
        rows.append(np.add.outer(np.arange(made)[:, None] * outer, target) + 0 * first[..., None])
        columns.append(np.add.outer(first * inner, source))
        tap = weight[(slice(None), slice(None), *place)]
        values.append(np.broadcast_to(tap[..., None], columns[-1].shape))
    return _matrix(rows, columns, values, (made * outer, given[0] * inner)), np.repeat(bias, outer)


def _pooling(node: Node, given: Shape) -> sparse.csr_array:
    shape, taps = _taps(node, given)
    share = 1.0 / len(taps) if node.kind == "AvgPool2d" else 1.0
    channels = np.arange(given[0])[:, None]
    inner, outer = math.prod(given[1:]), math.prod(shape[1:])
    rows = [channels * outer + target for _, _, target in taps]
    columns = [channels * inner + source for _, source, _ in taps]
    values = [np.full(row.shape, share) for row in rows]
    return _matrix(rows, columns, values, (given[0] * outer, given[0] * inner))


def _matrix(
    rows: Sequence[np.ndarray],
    columns: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    shape: tuple[int, int],
) -> sparse.csr_array:
    flat = [np.concatenate([part.ravel() for part in parts]) for parts in (values, rows, columns)]
    return sparse.csr_array((flat[0], (flat[1], flat[2])), shape)
