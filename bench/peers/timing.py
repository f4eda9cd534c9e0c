"""Times functions in CPU seconds of one thread and writes what Google Benchmark would write."""

import argparse
import json
import os
import re
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def run(benchmarks):
    """benchmarks: (name, items, function) with `items` done by each call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--min-time", type=float, default=0.5)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--filter", default="")
    options = parser.parse_args()
    rows = []
    for name, items, function in benchmarks:
        if not re.search(options.filter, name):
            continue
        start = time.process_time()
        function()
        once = max(time.process_time() - start, 1e-9)
        calls = max(1, round(options.min_time / once))
        for repetition in range(options.repetitions):
            start = time.process_time()
            for _ in range(calls):
                function()
            seconds = time.process_time() - start
            rows.append({"run_name": name, "run_type": "iteration", "repetition_index": repetition,
                         "items_per_second": items * calls / seconds})
        print(f"{name:<60} {1e9 * seconds / (items * calls):12.3f} ns per item", flush=True)
    with open(options.out, "w") as file:
        json.dump({"benchmarks": rows}, file)
