"""Runs one workload on several ranks in PyTorch's DDP or in Horovod, as many steps as each line on standard input says.

    python ddp_peer.py LIBRARY WORKLOAD BATCH RANKS CPUS

LIBRARY is `ddp` (gloo) or `horovod` (its own gloo). BATCH is a rank's. CPUS are numbers with commas; each rank gets one
of them, and one thread. The first rank reads and writes; it starts the others.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "compare" / "peers"))


def start_others(ranks, cpus):
    """Starts every rank but the first, which this process becomes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(ranks)}
    os.environ.update(common, RANK="0")
    for rank in range(1, ranks):
        subprocess.Popen(
            [sys.executable, *sys.argv],
            env={**os.environ, "RANK": str(rank)},
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda rank=rank: os.sched_setaffinity(0, [cpus[rank]]),
        )
    os.sched_setaffinity(0, [cpus[0]])


def main():
    library, workload, batch, ranks, cpus = sys.argv[1:6]
    ranks, cpus = int(ranks), [int(cpu) for cpu in cpus.split(",")]
    if "RANK" not in os.environ:
        start_others(ranks, cpus)
    import peer_io
    import torch
    import torch.distributed as dist
    import torch.nn.functional as F
    import torch_models
    from torch_peer import make_optimizer

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model, x, y = torch_models.make(workload, int(batch))
    if workload == "resnet18":
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    optimizer = make_optimizer(workload, model, fused=True)
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    if library == "ddp":
        network = torch.nn.parallel.DistributedDataParallel(model)
    else:
        import horovod.torch as hvd

        hvd.init()
        network = model
        hvd.broadcast_parameters(model.state_dict(), root_rank=0)
        optimizer = hvd.DistributedOptimizer(optimizer, named_parameters=model.named_parameters())

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(x).float().flatten(0, -2), y.flatten())
        loss.backward()
        optimizer.step()
        return loss.item()

    def steps(count):
        times = []
        for _ in range(count):
            begin = time.perf_counter()
            step()
            times.append((time.perf_counter() - begin) * 1000)
        return times

    def next_count():
        """How many steps the first rank is asked for, told to all; 0 at the end."""
        count = torch.zeros(1, dtype=torch.int64)
        if rank == 0:
            count[0] = int(sys.stdin.readline() or 0)
        if ranks > 1:
            dist.broadcast(count, 0)
        return int(count)

    step()
    if rank == 0:
        print(json.dumps({"first_step_s": peer_io.seconds_since_start()}), flush=True)
    while count := next_count():
        times = steps(count)
        if rank == 0:
            print(json.dumps({"step_ms": times, "resident_bytes": peer_io.resident_bytes()}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
