"""Ports that are free, and stay so although the machine connects to others meanwhile."""

import socket

import pytest

from e2e.cluster import free_ports as subject
from e2e.cluster.free_ports import free_ports
from e2e.cluster.refusal import Refusal


def test_they_differ_and_none_is_given_to_outgoing_connections() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as out:
        assert max(ports) < out.getsockname()[1]


def test_one_that_is_taken_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    (taken,) = free_ports(1)
    monkeypatch.setattr(subject, "_BELOW_OUTGOING", range(taken, taken + 1))
    assert free_ports(1) == [taken]
    with socket.create_server(("127.0.0.1", taken)), pytest.raises(Refusal, match="0 of 1 ports are free"):
        free_ports(1)
