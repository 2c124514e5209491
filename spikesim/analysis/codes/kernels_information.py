"""Compiled: entropies of subsets of trials, and the number of responses that matter."""

import math

import numpy as np

from spikesim.kernels.cache import kernel, part


@part
def _of_subsets(n, k, m):
    """Mean of -p log2 p over all subsets of m of n trials, k of which had the response.

    p is the share of the response in the subset: hypergeometric, summed out from its mode.
    """
    lowest, highest = max(0, m - (n - k)), min(k, m)
    mode = min(max((m + 1) * (k + 1) // (n + 2), lowest), highest)
    weight, mean = 1.0, 0.0
    if mode > 0:
        mean = -mode / m * math.log2(mode / m)
    w, i = 1.0, mode
    while i < highest and w > 1e-18:
        w *= (k - i) * (m - i) / ((i + 1.0) * (n - k - m + i + 1))
        i += 1
        weight += w
        mean -= w * i / m * math.log2(i / m)
    w, i = 1.0, mode
    while i > lowest and w > 1e-18:
        w *= i * (n - k - m + i) / ((k - i + 1.0) * (m - i + 1))
        i -= 1
        weight += w
        if i > 0:
            mean -= w * i / m * math.log2(i / m)
    return mean / weight


@kernel
def extrapolated(counts, totals, sizes):
    """What responses add to an entropy extrapolated to endlessly many trials, bits.

    Of a response seen in ``counts[i]`` of ``totals[i]`` trials; ``sizes[i]`` are the numbers of
    trials of the subsets, 0 where there is none. The polynomial in 1 / trials through their
    entropies is taken at 0 (Lagrange).
    """
    out = np.zeros(counts.size)
    for c in range(counts.size):
        if counts[c] == 0:
            continue
        for i in range(sizes.shape[1]):
            m = sizes[c, i]
            if m == 0:
                continue
            coefficient = 1.0
            for j in range(sizes.shape[1]):
                other = sizes[c, j]
                if j != i and other > 0:
                    coefficient *= m / (m - other)
            out[c] += coefficient * _of_subsets(totals[c], counts[c], m)
    return out


@kernel
def relevant(tables, occurring):
    """How many responses can occur to each stimulus, by the Bayes procedure of Panzeri & Treves.

    ``tables`` (n, stimuli, responses), ``occurring`` (n,): how many occur at all. Responses are
    added to those seen for as long as the number expected to be seen comes closer to that seen.
    """
    out = np.zeros(tables.shape[:2])
    for a in range(tables.shape[0]):
        for s in range(tables.shape[1]):
            row = tables[a, s]
            n = row.sum()
            seen = 0
            expected = 0.0
            for k in row:
                if k > 0:
                    seen += 1
                    expected += 1.0 - (1.0 - k / n) ** n
            best, unseen = abs(seen - expected), 0
            while seen + unseen < occurring[a]:
                more = unseen + 1
                share = more * (1.0 - (n / (n + seen)) ** (1.0 / n))  # of what was not seen
                expected = more * (1.0 - (1.0 - share / more) ** n)
                for k in row:
                    if k > 0:
                        expected += 1.0 - (1.0 - (1.0 - share) * (k + 1) / (n + seen)) ** n
                if abs(seen - expected) >= best:
                    break
                best, unseen = abs(seen - expected), more
            out[a, s] = seen + unseen
    return out
