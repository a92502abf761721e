"""Which IP addresses are public, by the registries."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from deepresearch.web.addresses import may_be_allowed, why_not_public

PUBLIC = (
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
    "169.253.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255", "11.0.0.1", "192.167.255.255",
    "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860:4860::8888",
)  # fmt: skip
NOT_PUBLIC = (
    ("0.0.0.0", "this-network"), ("10.1.2.3", "private"), ("100.64.0.1", "carrier-grade NAT"),
    ("100.100.100.200", "cloud metadata"), ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"),
    ("168.63.129.16", "cloud metadata"), ("169.254.169.254", "cloud metadata"), ("169.254.170.2", "link-local"),
    ("172.16.0.1", "private"), ("172.31.255.255", "private"), ("192.0.0.192", "cloud metadata"),
    ("192.88.99.1", "6to4 relay"), ("192.168.0.1", "private"), ("198.18.0.1", "benchmarking"),
    ("203.0.113.7", "documentation"), ("224.0.0.251", "multicast"), ("239.255.255.250", "multicast"),
    ("240.0.0.1", "reserved"), ("255.255.255.255", "reserved"),
    ("::", "unspecified"), ("::1", "loopback"), ("::7f00:1", "reserved"), ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"), ("fec0::1", "site-local"), ("fc00::1", "private"), ("fd00:ec2::254", "cloud metadata"),
    ("ff02::1", "multicast"), ("100::1", "discard"), ("2001:db8::1", "documentation"), ("3fff::1", "documentation"),
    ("2001::7f00:1", "Teredo"), ("2002:7f00:1::1", "6to4"), ("2002:808:808::1", "6to4"), ("64:ff9b:1::7f00:1", "local NAT64"),
    ("5f00::1", "reserved"), ("2606:4700::5efe:10.0.0.1", "ISATAP"), ("2001:2::1", "reserved"),
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert why_not_public(ip_address(address)) is None


@pytest.mark.parametrize(("address", "kind"), NOT_PUBLIC)
def test_not_public(address: str, kind: str) -> None:
    assert why_not_public(ip_address(address)) == kind


@pytest.mark.parametrize(
    "address", ("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::ffff:0:0")
)
def test_an_address_inside_an_address_is_what_is_inside(address: str) -> None:
    kind = why_not_public(ip_address(address))
    assert kind is not None
    assert "inside" in kind


def test_naming_a_host_opens_private_machines_and_nothing_of_a_cloud() -> None:
    opened = [address for address, _ in NOT_PUBLIC if may_be_allowed(ip_address(address))]
    assert set(opened) == {
        "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "198.18.0.1", "::1", "fc00::1",
    }  # fmt: skip
