#!/usr/bin/env bash
# One seed, other binomial numbers: NumPy 2.4.6 and 2.5.5 draw differently from the same generator
# where n is large and p small (n = 1,000,000, p = 0.001); most other n and p give the same.
#
# The guess: a Philox generator with a given key gives the same binomial numbers in every release
# of one major version, as its raw words and its uniform and normal numbers do.
# The truth: NumPy promises the stream of bit generators, not that of Generator's distributions
# (NEP 19): they may change in any release, and this one did.
#
# Whom it hurts: who wires networks, resamples trials or checks results by Generator.binomial or
# multinomial, which is made of binomials, and compares them after an update, or between Python
# 3.11, for which 2.4 is the last NumPy, and later ones.
#
# Source: https://numpy.org/neps/nep-0019-rng-policy.html, and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
draw='
import hashlib, numpy as np
found = []
for n, p in ((1000, 0.3), (1_000_000, 0.001)):
    draws = np.random.Generator(np.random.Philox(key=5)).binomial(n, p, 1000)
    found.append(hashlib.sha256(draws.astype("<i8").tobytes()).hexdigest()[:12])
words = np.random.Philox(key=5).random_raw(3)
print(np.__version__, *found, *words)
'
for version in 2.4.6 2.5.5; do
  "${PYTHON:-python3}" -m venv "$scratch/$version"
  "$scratch/$version/bin/pip" install --quiet "numpy==$version"
  "$scratch/$version/bin/python" -c "$draw" | tee "$scratch/$version.txt"
done
read -r _ small_a large_a words_a <"$scratch/2.4.6.txt"
read -r _ small_b large_b words_b <"$scratch/2.5.5.txt"
[[ "$words_a" == "$words_b" && "$small_a" == "$small_b" ]] || { echo "more differs now"; exit 1; }
[[ "$large_a" != "$large_b" ]] || { echo "they are the same now"; exit 1; }
echo "same words, same numbers for n = 1000, other numbers for n = 1,000,000"
