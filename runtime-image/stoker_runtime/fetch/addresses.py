"""Which addresses and host names a download may reach.

Always refused: what answers only to this node or this cloud account (link-local, metadata services), and what is no
host (unspecified, multicast, reserved). Loopback and private addresses are open only to hosts that the user named."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_METADATA_NAMES = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.azure.com",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.oraclecloud.com",
        "metadata.tencentyun.com",
    }
)
# Metadata services of clouds that put them outside of the link-local range.
_METADATA_ADDRESSES = frozenset(
    map(ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
_NAT64 = ip_network("64:ff9b::/96")


def refused_name(host: str) -> str | None:
    """Why a host must not even be looked up; None: it may."""
    if host.rstrip(".").lower() in _METADATA_NAMES:
        return "it is the name of a cloud's metadata service"
    return None


def refused_address(text: str, host_is_named: bool) -> str | None:
    """Why a resolved address must not be connected to; None: it may."""
    address = _embedded(ip_address(text.partition("%")[0]))
    if address in _METADATA_ADDRESSES:
        return "it is the address of a cloud's metadata service"
    if address.is_link_local:
        return "it is link-local, where metadata services answer"
    is_inner = address.is_loopback or (address.is_private and not address.is_reserved)
    if address.is_unspecified or address.is_multicast or (address.is_reserved and not is_inner):
        return "it is no address of a host"
    if host_is_named or (address.is_global and not is_inner):
        return None
    return "it is not public, and the source does not name this host"


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv6 address that only wraps an IPv4 one reaches what that one reaches."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
