"""Where the windows of a convolution lie: output sizes and padding."""


def output_size(size: int, window: int, stride: int, padding: str) -> int:
    """Number of window positions along one axis of `size` pixels."""
    return -(-size // stride) if padding == "same" else (size - window) // stride + 1


def pad_before(size: int, window: int, stride: int, padding: str) -> int:
    """Zeros before the first pixel: "same" puts the odd one of its zeros after the last pixel.

    The convention of TensorFlow and XLA: as few zeros as let every stride-th pixel have a window.
    """
    if padding == "valid":
        return 0
    spanned = (output_size(size, window, stride, padding) - 1) * stride + window
    return max(spanned - size, 0) // 2
