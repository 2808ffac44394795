"""A second wire between two hosts of `namespaces`, with a delay and loss: kernels may lack netem.

    python slow_wire.py SPACE OTHER_SPACE DELAY_MS LOSS_PERCENT

Runs until it is ended; the hosts have the addresses of `ADDRESSES` on it. Needs /dev/net/tun.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

ADDRESSES = ("10.78.0.1", "10.78.0.2")
# From linux/if_tun.h and linux/sched.h: TUNSETIFF; an Ethernet tap without headers; CLONE_NEWNET.
_SET, _TAP_NO_HEADER, _NETWORK = 0x400454CA, 0x1002, 0x40000000


def tap(space: str, address: str) -> int:
    """Makes one end in a network namespace; returns a descriptor of the frames that come there."""
    library = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{space}", os.O_RDONLY)
    if library.setns(there, _NETWORK):
        raise OSError(ctypes.get_errno(), "setns")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _SET, struct.pack("16sH", b"slow0", _TAP_NO_HEADER))
    subprocess.run(["ip", "addr", "add", f"{address}/24", "dev", "slow0"], check=True)
    subprocess.run(["ip", "link", "set", "slow0", "up"], check=True)
    library.setns(own, _NETWORK)
    return end


def carry(ends: tuple[int, int], delay: float, loss: float) -> None:
    """Carries frames from each end to the other, late, and loses some, the same in each run."""
    luck = random.Random(0)
    other = dict(zip(ends, ends[::-1], strict=True))
    waiting: list[tuple[float, int, int, bytes]] = []
    count = 0
    while True:
        patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
        for end in select.select(ends, [], [], patience)[0]:
            frame, count = os.read(end, 1 << 16), count + 1
            if luck.random() >= loss:
                heapq.heappush(waiting, (time.monotonic() + delay, count, other[end], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(waiting)
            try:
                os.write(end, frame)
            except BlockingIOError:
                continue


if __name__ == "__main__":
    spaces, (delay, loss) = sys.argv[1:3], map(float, sys.argv[3:5])
    first, second = (tap(s, a) for s, a in zip(spaces, ADDRESSES, strict=True))
    print("ready", flush=True)
    carry((first, second), delay / 1e3, loss / 100)
