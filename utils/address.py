"""Names and addresses: which are this machine's, and where phones reach it."""

import ipaddress
import socket
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from utils.errors import ConfigError

ANY = {"0.0.0.0", "::"}  # serve on every address
PORTS = {"http": 80, "https": 443}  # that browsers leave out


@dataclass(frozen=True)
class Public:
    """The address under which a proxy shows the program.

    Parameters
    ----------
    scheme : http or https
    host : name, with the port where it is not the scheme's own; lower case
    prefix : of every path, such as /captions; "" where the program has the name to itself
    """

    scheme: str
    host: str
    prefix: str

    @property
    def origin(self) -> str:
        """The origin of the page, as browsers name it."""
        return f"{self.scheme}://{self.host}"

    def url(self, path: str) -> str:
        """The address of a place, such as /read."""
        return f"{self.origin}{self.prefix}{path}"


def public_address(address: str) -> Public:
    """The parts of a proxy's address.

    Raises
    ------
    ConfigError : it is none

    >>> public_address("https://Captions.example:443/hall/")
    Public(scheme='https', host='captions.example', prefix='/hall')
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    host = host_name(parts.netloc)
    if parts.scheme not in PORTS or not host or parts.query or parts.fragment:
        raise ConfigError(
            f"proxy {address!r}: expected the address under which the proxy shows the page, "
            "such as https://captions.example or https://captions.example/hall"
        )
    name = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, PORTS[parts.scheme]) else f":{parts.port}"
    return Public(parts.scheme, f"{name}{port}", parts.path.rstrip("/"))


def redis_address(address: str) -> str:
    """The address of a Redis server as it may be told: without user and password.

    Raises
    ------
    ConfigError : it is none; what was given is not told, as it may hold a password

    >>> redis_address("rediss://hall:secret@Redis.example:6380/1")
    'rediss://redis.example:6380/1'
    """
    try:
        parts = urlsplit(address)
        number = parts.path.strip("/")
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        parts, number, port = urlsplit(""), "", ""
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or parts.query:
        raise ConfigError(
            "redis: expected the address of a Redis server, such as redis://10.0.0.5:6379, or "
            "rediss:// with TLS"
        )
    if number and not number.isdecimal():
        raise ConfigError("redis: expected the number of a database behind the last /, such as /0")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def host_name(header: str) -> str:
    """The host of a Host header, without port and in lower case; "" where it makes no sense.

    >>> host_name("[::1]:5000"), host_name("Kiosk.local:5000"), host_name("a b/")
    ('::1', 'kiosk.local', '')
    """
    if not header or set(header) & set(" /?#@\\"):
        return ""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port  # raises where it is no number
    except ValueError:
        return ""
    return (parts.hostname or "").rstrip(".")


def is_host(text: str) -> bool:
    """Whether a text is a name or an IP address alone, without scheme, port or path.

    >>> is_host("kiosk.local"), is_host("::1"), is_host("kiosk:5000"), is_host("http://kiosk")
    (True, True, False, False)
    """
    return bool(plain_address(text)) or host_name(text) == text.lower().rstrip(".") != ""


def plain_address(host: str) -> str:
    """An IP address in its shortest form, IPv4 where it is IPv4 within IPv6; "" for a name."""
    if ":" in host:
        host = host.partition("%")[0]  # a zone, which only addresses of IPv6 have
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def network(address: str) -> str:
    """What one peer has to itself: an address of IPv4, the /64 that a host of IPv6 is given whole.

    A host may come from each address of its /64 (RFC 8981), so limits count them as one. This
    machine's own address, and what is no address, stay as they are.

    >>> network("203.0.113.7"), network("2001:db8:1:2:3::7"), network("::1")
    ('203.0.113.7', '2001:db8:1:2::/64', '::1')
    """
    plain = plain_address(address)
    if ":" not in plain or is_loopback(plain):
        return plain or address
    return str(ipaddress.IPv6Network((plain, 64), strict=False))


@lru_cache(maxsize=2000)
def site(peer: str) -> str:
    """The /48 of IPv6 that a site is given, of which it may use each /64; else the peer itself.

    RFC 6177, section 2: a site gets a /48 to a /56, so that a host may stand for 65,536 peers.

    Parameters
    ----------
    peer : an address, or what `network` makes of one

    >>> site("2001:db8:1:2::/64"), site("2001:db8:1:2:3::7"), site("203.0.113.7"), site("::1")
    ('2001:db8:1::/48', '2001:db8:1::/48', '203.0.113.7', '::1')
    """
    plain = plain_address(peer.removesuffix("/64"))
    if ":" not in plain or is_loopback(plain):
        return peer
    return str(ipaddress.IPv6Network((plain, 48), strict=False))


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own, reachable from itself alone."""
    address = plain_address(host)
    return host == "localhost" or bool(address and ipaddress.ip_address(address).is_loopback)


def own_names(*served: str) -> set[str]:
    """Names under which this machine may be asked for, beside its addresses.

    Parameters
    ----------
    served : addresses or names that the operator has given
    """
    name = socket.gethostname().lower()
    return {name, f"{name.split('.')[0]}.local", *(s.lower() for s in served if s)} - ANY


def reachable_address(host: str, address: str = "") -> str | None:
    """Where other devices reach what is served at `host`; None where they cannot.

    Parameters
    ----------
    host : address that is served
    address : what the operator says that it is; "" to find it
    """
    if address:
        return address
    if host not in ANY:
        return None if is_loopback(host) else host
    return _route_address() or _named_address()


def url(address: str, port: int, path: str = "") -> str:
    """The HTTP address of a place.

    >>> url("::1", 5000, "/read")
    'http://[::1]:5000/read'
    """
    return f"http://{f'[{address}]' if ':' in address else address}:{port}{path}"


def _route_address() -> str | None:
    """The address from which this machine would send to others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
            found = probe.getsockname()[0]
        except OSError:
            return None
    return None if is_loopback(found) or found in ANY else found


def _named_address() -> str | None:
    """The first address that goes with this machine's name; a network without a router has one."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return None
    addresses = [str(entry[4][0]) for entry in found]
    return next((a for a in addresses if not is_loopback(a)), None)
