"""What this process trains on, as it is recorded with every trial."""

from cnn_ablation.system.environment import describe_device, describe_devices
from cnn_ablation.system.hardware import Machine, describe_hardware
from cnn_ablation.training.compute import ComputeOptions


def own_machine(compute: ComputeOptions) -> Machine:
    """This process's devices, and what decides last bits on them.

    Args:
        compute: the lowering by its own name, and the precision.
    """
    devices = describe_devices()
    hardware = describe_hardware()
    if devices["backend"] != "cpu":
        hardware["accelerator"] = devices["device_kind"]
    hardware |= {"convolution": compute.conv, "precision": compute.precision}
    return Machine(describe_device(devices), hardware)
