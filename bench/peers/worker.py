"""Answers one JSON line with another: python worker.py MODULE THREADS.

prepare {kind, size, operations, compiled, inputs} -> {evaluations}
prepare {kind, size, width, operations} -> {evaluations}, for a peer that says itself how
measure {timings} -> {milliseconds}
check -> {check}
release -> {}
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback

from shared import read_inputs


def main():
    # What libraries print must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    peer = importlib.import_module(sys.argv[1]).Peer(threads=int(sys.argv[2]))
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                work, answer = prepare(peer, request)
            elif request["do"] == "measure":
                answer = {"milliseconds": measure(work, request["timings"])}
            elif request["do"] == "check":
                answer = {"check": float(work.check())}
            else:
                work, answer = None, {}
                gc.collect()
        except Exception:
            answer = {"error": traceback.format_exc(limit=-4).strip()}
        answers.write(json.dumps(answer) + "\n")


def prepare(peer, request):
    if "inputs" not in request:
        return started(peer.prepare(request), request)
    parameters, source, points = read_inputs(request["inputs"])
    size = request["size"]
    make = {"training": peer.training, "sampling": peer.sampling, "likelihood": peer.likelihood}[request["kind"]]
    given = {"training": None, "sampling": source[:size], "likelihood": points[:size]}[request["kind"]]
    work = make(parameters, size if given is None else given, compiled=request["compiled"])
    return started(work, request)


def started(work, request):
    work.operations = request["operations"]
    work.run(work.operations)
    return work, {"evaluations": work.evaluations()}


def measure(work, timings):
    """Milliseconds an operation, after one untimed round that wakes threads and caches."""
    work.run(work.operations)
    milliseconds = []
    for _ in range(timings):
        began = time.perf_counter()
        work.run(work.operations)
        milliseconds.append((time.perf_counter() - began) * 1e3 / work.operations)
    return milliseconds


if __name__ == "__main__":
    main()
