"""One run on several hosts: they join before JAX touches a device, and end together.

Every host runs the same program on its own devices; host 0 alone prints and writes. On one host
nothing here does anything, and JAX is not imported.
"""

from cnn_ablation.execution.hosts.ending import ending_together, recording_in
from cnn_ablation.execution.hosts.joining import (
    HostOptions,
    host_count,
    is_lead,
    join,
    quiet_jax,
)
from cnn_ablation.execution.hosts.messages import dismiss, gather, receive, require_same, send
from cnn_ablation.execution.hosts.secret import prove
from cnn_ablation.execution.hosts.supervising import supervise

__all__ = [
    "HostOptions",
    "dismiss",
    "ending_together",
    "gather",
    "host_count",
    "is_lead",
    "join",
    "prove",
    "quiet_jax",
    "receive",
    "recording_in",
    "require_same",
    "send",
    "supervise",
]
