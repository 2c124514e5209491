"""Kernels of correlograms: lags of spikes, counted in bins and on their edges.

A table has, for each spike's row, ``table[row, 0, other, k]``: lags to spikes of a neuron that lie
within bin k, and ``table[row, 1, other, k]``: those on the lower edge of bin k. From both any rule
for edges can be had. All are whole numbers, so the order in which they are added, and how many
threads do so, changes nothing.
"""

import numpy as np

from spikesim.data.windows import SAME_TIME
from spikesim.kernels.cache import kernel


@kernel
def following(times, bounds, reach, first, last):
    """For each spike, which ones follow it in its window within ``reach``: first to last."""
    for window in range(len(bounds) - 1):
        k = bounds[window]
        for s in range(bounds[window], bounds[window + 1]):
            while k < bounds[window + 1] and times[k] - times[s] <= reach:
                k += 1
            first[s] = s + 1
            last[s] = k


@kernel
def around(times, bounds, others, other_bounds, reach, first, last):
    """For each spike, which others lie around it in its window within ``reach``."""
    for window in range(len(bounds) - 1):
        low = high = other_bounds[window]
        end = other_bounds[window + 1]
        for s in range(bounds[window], bounds[window + 1]):
            while low < end and times[s] - others[low] > reach:
                low += 1
            while high < end and others[high] - times[s] <= reach:
                high += 1
            first[s] = low
            last[s] = max(low, high)


@kernel
def gather(neurons, group_of, row_of, places, spikes, gathered):
    """Put spikes in order of their neuron's group: time, first, last, and the neuron's row.

    ``places`` says where the spikes of each group begin; the order within a group stays.
    """
    times, first, last = spikes
    to_times, to_first, to_last, to_rows = gathered
    for s in range(len(neurons)):
        group = group_of[neurons[s]]
        place = places[group]
        places[group] += 1
        to_times[place], to_first[place], to_last[place] = times[s], first[s], last[s]
        to_rows[place] = row_of[neurons[s]]


@kernel
def count_lags(times, first, last, rows, others, columns, shift, bin, on_edges, table, at):
    """Count the lags of spikes to the others first[s], ..., last[s] - 1 of each.

    A row of the table comes as one line: a lag within bin k goes to ``columns[other] + k``, one on
    the lower edge of bin k stands ``on_edges`` further; ``shift`` is the lower end of bin 0.

    Two loops: the first is vectorised, the second waits for the memory. While the rows of a call
    stay in the second level of the cache this takes 1.1 ns a lag, from the third 3 ns. Edges apart
    from bins, which spikes off a grid never touch, leave more of the cache to the bins.
    """
    slack, per_bin = SAME_TIME / bin, 1 / bin
    for s in range(len(times)):
        row = table[rows[s]]
        n = last[s] - first[s]
        time, column = others[first[s] : last[s]], columns[first[s] : last[s]]
        zero = times[s] + shift
        for k in range(n):
            lag = (time[k] - zero) * per_bin + slack  # in bins
            whole = np.int32(lag)
            apart = on_edges if lag - whole < 2 * slack else np.int32(0)
            at[k] = np.uint32(column[k] + whole + apart)
        for k in range(n):
            row[at[k]] += np.uint32(1)


@kernel
def count_pair(times, bounds, others, other_bounds, n, bin, doubled):
    """Twice the counts of two neurons in bins -n, ..., n: what `around`, `count_lags`, `fold` give.

    At once and without a table: of one pair, all that surrounds the counting takes longer.
    """
    slack, per_bin, reach = SAME_TIME / bin, 1 / bin, (n + 0.5) * bin
    for window in range(len(bounds) - 1):
        low, end = other_bounds[window], other_bounds[window + 1]
        for s in range(bounds[window], bounds[window + 1]):
            while low < end and times[s] - others[low] > reach + SAME_TIME:
                low += 1
            k = low
            while k < end and others[k] - times[s] <= reach + SAME_TIME:
                lag = (others[k] - (times[s] - reach)) * per_bin + slack
                whole = np.int64(lag)
                on_edge = lag - whole < 2 * slack
                if whole < len(doubled):
                    doubled[whole] += 1 if on_edge else 2
                if on_edge and whole > 0:
                    doubled[whole - 1] += 1
                k += 1


@kernel
def mirror(table, sources, n, counts, centre):
    """From lags to later spikes of all neurons, counts of pairs i < j in bins -n, ..., n.

    Lags from i to j lie above 0, those from j to i below it. The bin around 0 gets both; they are
    kept apart in ``centre``, so that each source writes to places of its own.
    """
    size = table.shape[2]
    for k in range(len(sources)):
        source = sources[k]
        for other in range(size):
            if other == source:
                continue
            i, j = min(source, other), max(source, other)
            pair = i * (2 * size - i - 1) // 2 + j - i - 1
            inside, on_edge = table[k, 0, other], table[k, 1, other]
            side = 1 if source == i else -1
            for b in range(1, n + 1):
                counts[pair, n + side * b] = inside[b] + 0.5 * (on_edge[b] + on_edge[b + 1])
            centre[pair, 0 if source == i else 1] = inside[0] + 0.5 * on_edge[1]


@kernel
def fold(table, rows, columns, doubled):
    """Twice the counts of some pairs: row and other neuron of each are given."""
    for pair in range(len(rows)):
        inside = table[rows[pair], 0, columns[pair]]
        on_edge = table[rows[pair], 1, columns[pair]]
        for b in range(doubled.shape[1]):
            beside = np.int64(on_edge[b]) + np.int64(on_edge[b + 1])
            doubled[pair, b] = beside + 2 * np.int64(inside[b])
