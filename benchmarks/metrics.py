"""CPU time and memory of the whole "locatello2019" suite on a codes table of dSprites' size (737,280 x 10).

    python benchmarks/metrics.py             # scikit-learn's DCI beside ours: about five minutes more
    python benchmarks/metrics.py --no-exact

Every metric sees the points that `evaluate` gives it (10,000 and 5,000; the whole table where rows are looked up).
Times are process times, one thread (set OMP_NUM_THREADS=1), with compiled code warm.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from prismae import metrics
from prismae.evaluation import evaluate_codes
from prismae.evaluation.families.codes import ideal_codes
from prismae.metrics import Result

SIZES = (3, 6, 40, 32, 32)
SUITE = ("mig", "factor-vae-score", "beta-vae-score", "dci", "sap", "modularity", "explicitness", "irs")


def table() -> tuple[np.ndarray, np.ndarray]:
    """Noisy codes of a full grid, with five dead ones, and the factors."""
    factors = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1).astype(np.uint8)
    codes = ideal_codes(factors, 10)
    codes[:, :5] += 0.1 * np.random.default_rng(1).standard_normal((len(codes), 5), dtype=np.float32)
    return codes, factors


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--exact", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    _, seconds = timed(
        lambda: metrics.dci(np.random.default_rng(0).normal(size=(90, 2)), np.eye(90, 2, dtype=int))
    )
    print(f"loading compiled code: {seconds:.1f} s (compiling it, once per machine, takes about 5 s)")
    codes, factors = table()
    print(f"table {codes.shape[0]:,} x {codes.shape[1]}; memory with the table: {peak_mb():.0f} MB\n")
    total = 0.0
    for name in SUITE:
        scores, seconds = timed(partial(evaluate_codes, codes, factors, metrics=[name], baselines=False))
        total += seconds
        shown = ", ".join(f"{key} {score.score:.4f}" for key, score in scores.items())
        print(f"{name:18} {seconds:7.2f} s   {shown}", flush=True)
    print(f"{'whole suite':18} {total:7.2f} s   peak memory {peak_mb():.0f} MB\n")
    scores, seconds = timed(lambda: evaluate_codes(codes, factors, metrics=SUITE, bootstrap=200))
    print(f"suite with ceiling, chance level and 200 bootstrap replicates: {seconds:.1f} s\n{scores}\n")
    if options.exact:
        rows = np.random.default_rng(0).permutation(len(codes))[:15_000]
        parts = [(codes[part], factors[part]) for part in (rows[:10_000], rows[10_000:])]
        results: dict[str, tuple[Result, float]] = {}
        for booster in ("compiled", "sklearn"):
            results[booster] = timed(partial(metrics.dci, *parts[0], test=parts[1], booster=booster))
            result, seconds = results[booster]
            d, c, i = result.scores.values()
            print(f"DCI, {booster:9} {seconds:7.2f} s   D {d:.4f}, C {c:.4f}, I {i:.4f}", flush=True)
        ratio = results["sklearn"][1] / results["compiled"][1]
        print(f"scikit-learn takes {ratio:.1f} times as long; peak memory {peak_mb():.0f} MB")


if __name__ == "__main__":
    main()
