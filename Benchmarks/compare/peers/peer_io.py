"""How a peer speaks with `compare.py`: a number of steps on each line in, their times as a JSON object on each line out.

`pando bench NAME --on-request` speaks the same way.
"""

import json
import os
import sys
import time


def resident_bytes():
    """The highest resident memory of this process so far."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def seconds_since_start():
    """Seconds since the operating system started this process: imports count."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
        return float(uptime.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def serve(step):
    """Runs `step`, which returns when its work is done, as often as each line asks; the first line tells of the first."""
    step()
    print(json.dumps({"first_step_s": seconds_since_start()}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            step()
            times.append((time.perf_counter() - begin) * 1000)
        print(json.dumps({"step_ms": times, "resident_bytes": resident_bytes()}), flush=True)


def tell_work(parameters, product_flops):
    """What a step is: trained elements, and floating-point operations in products and convolutions."""
    print(json.dumps({"parameters": parameters, "product_flops": product_flops}), flush=True)


def parse(workload):
    """The network's name, the batch size, and whether it is trained: `gpt` trains, `gpt-1` is a forward pass on 1."""
    name, _, batch = workload.partition("-")
    return name, int(batch or {"mlp": 128, "resnet18": 64, "gpt": 8}[name]), not batch
