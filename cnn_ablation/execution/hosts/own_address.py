"""What addresses names of hosts stand for, as this machine sees it."""

import ipaddress
import socket


def stands_for_loopback(name: str) -> bool:
    """Whether every address of a name is this machine's alone; a name of none is not."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = {str(entry[4][0]).partition("%")[0] for entry in found}
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


def own_address(target: str) -> str | None:
    """The address that this machine has on the way to a host; None where there is no way.

    Args:
        target: the host's name or address. Nothing is sent to it.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(target, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return None
