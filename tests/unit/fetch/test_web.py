"""The one way out: addresses, redirects, tokens, proxies, patience."""

import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.addresses import refused_address, refused_name
from stoker_runtime.fetch.answers import Refused, validator_of
from stoker_runtime.fetch.patience import Interrupted, Patience, Stopped, Times, told_seconds, wait_seconds
from stoker_runtime.fetch.proxies import proxy_for
from stoker_runtime.fetch.source import Request
from stoker_runtime.fetch.urls import origin_of, redirected, shown
from stoker_runtime.fetch.web import HttpWeb
from tests.unit.fetch.origin import Fault, Origin, served
from tests.unit.fetch.runs import QUICK

NAMED = frozenset({"127.0.0.1"})
TOKEN = {"Authorization": "Bearer secret", "X-Amz-Security-Token": "secret", "Accept": "application/json"}


def web_of(named: frozenset[str] = NAMED, **options: object) -> HttpWeb:
    return HttpWeb(named, **{"times": QUICK, "environment": {}, **options})  # type: ignore[arg-type]


def asked(web: HttpWeb, url: str, **headers: str) -> bytes:
    try:
        return web.ask(Request(url, headers)).body
    finally:
        web.close()


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"),
        *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"),
        *("0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"),  # noqa: S104
    ],
)
def test_some_addresses_are_refused_whoever_names_them(address: str) -> None:
    assert refused_address(address, host_is_named=True)
    assert refused_address(address, host_is_named=False)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_inner_addresses_are_for_named_hosts(address: str) -> None:
    assert refused_address(address, host_is_named=True) is None
    assert refused_address(address, host_is_named=False)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_open(address: str) -> None:
    assert refused_address(address, host_is_named=False) is None


def test_names_of_metadata_services_are_not_even_looked_up() -> None:
    looked_up: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        looked_up.append(host)
        return ["93.184.215.14"]

    web = web_of(frozenset({"metadata.google.internal"}), resolve=resolve)
    with pytest.raises(WeightsError) as raised:
        asked(web, "http://Metadata.Google.Internal./computeMetadata/v1/")
    assert raised.value.reason == Reason.UNSAFE_SOURCE
    assert looked_up == []
    assert refused_name("huggingface.co") is None


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    with served({"a": b"content"}) as origin:
        web = web_of(frozenset({"rebinding.example"}), resolve=lambda *_: answers.pop(0))
        assert asked(web, f"http://rebinding.example:{origin.server_port}/a") == b"content"
        assert len(answers) == 1


def test_a_host_that_also_has_a_refused_address_is_reached_at_the_others() -> None:
    with served({"a": b"content"}) as origin:
        web = web_of(frozenset({"two.example"}), resolve=lambda *_: ["169.254.169.254", "127.0.0.1"])
        assert asked(web, f"http://two.example:{origin.server_port}/a") == b"content"


def redirecting(origin: Origin, location: str, times: int = 1) -> str:
    origin.faults.append(Fault(status=302, headers={"Location": location}, path="from", times=times))
    return f"{origin.address}/from"


def test_a_redirect_to_another_inner_host_wants_an_allowed_host() -> None:
    with served({"a": b"content"}) as origin:
        url = redirecting(origin, f"http://other.example:{origin.server_port}/a", times=2)
        with pytest.raises(WeightsError, match=r"other.example leads to 127.0.0.1") as raised:
            asked(web_of(resolve=lambda *_: ["127.0.0.1"]), url)
        assert raised.value.reason == Reason.UNSAFE_SOURCE
        allowed = web_of(resolve=lambda *_: ["127.0.0.1"], allowed_hosts=frozenset({"other.example"}))
        assert asked(allowed, url) == b"content"


def test_no_token_follows_to_another_host() -> None:
    with served({"a": b"content"}) as origin, served({"a": b"content"}) as other:
        asked(web_of(), redirecting(origin, f"{other.address}/a"), **TOKEN)
        asked(web_of(), redirecting(origin, "/a"), **TOKEN)
        assert "secret" not in str(other.asked[0].headers)
        assert other.asked[0].headers["Accept"] == "application/json"
        assert origin.asked[-1].headers["Authorization"] == "Bearer secret"


def test_https_never_falls_to_http() -> None:
    with pytest.raises(WeightsError, match="not encrypted"):
        redirected(Request("https://a.example/x", TOKEN), "http://a.example/x")
    assert redirected(Request("http://a.example/x", TOKEN), "https://a.example/y").headers == {
        "Accept": "application/json"
    }


def test_redirects_come_to_an_end() -> None:
    with served({}) as origin:
        url = redirecting(origin, "/from", times=99)
        with pytest.raises(WeightsError, match="more than 10 times"):
            asked(web_of(), url)
        assert len(origin.asked) == 11


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a.example/", "http://[::1", "gopher:x"])
def test_a_redirect_out_of_the_web_is_refused(location: str) -> None:
    with served({}) as origin:
        url = redirecting(origin, location)
        with pytest.raises(WeightsError) as raised:
            asked(web_of(), url)
    assert raised.value.reason == Reason.UNSAFE_SOURCE


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    assert shown("https://user:secret@a.example:8/b?X-Signature=secret#secret") == "https://a.example:8/b"
    assert shown("https://a.example/\n\x1b[2J") == "https://a.example/?[2J"


def test_a_token_with_a_line_break_is_refused_without_being_shown() -> None:
    with served({"a": b""}) as origin, pytest.raises(WeightsError) as raised:
        asked(web_of(), f"{origin.address}/a", Authorization="Bearer secret\n")
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_refusal_keeps_what_the_server_says_of_tokens() -> None:
    with served({}) as origin:
        origin.faults.append(Fault(status=401, headers={"WWW-Authenticate": 'Bearer realm="r"'}))
        with pytest.raises(Refused) as raised:
            asked(web_of(), f"{origin.address}/v2/")
    assert (raised.value.status, raised.value.headers["www-authenticate"]) == (401, 'Bearer realm="r"')


def test_an_answer_that_never_ends_is_cut() -> None:
    with served({"a": b"x" * 100_000}) as origin:
        web = web_of()
        with pytest.raises(WeightsError, match="more than 1000 bytes"):
            web.ask(Request(f"{origin.address}/a"), most_bytes=1000)
        web.close()


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_part_and_a_size_are_had_with_and_without_ranges(has_ranges: bool) -> None:
    data = bytes(range(256)) * 100
    with served({"a": data}) as origin:
        origin.has_ranges = has_ranges
        origin.faults.append(Fault(drop_after=70, times=1))
        web, request = web_of(), Request(f"{origin.address}/a")
        assert web.part(request, 1000, 3000) == data[1000:3000]
        assert web.size(request) == len(data)
        with pytest.raises(WeightsError) as raised:
            web.part(request, len(data) - 5, len(data) + 5)
        web.close()
    assert raised.value.reason == Reason.SIZE_MISMATCH


def test_a_connection_serves_more_than_one_request() -> None:
    with served({"a": b"content"}) as origin:
        web = web_of()
        for _ in range(3):
            assert web.ask(Request(f"{origin.address}/a")).body == b"content"
        kept = [len(each) for each in web._pool._idle.values()]
        web.close()
    assert kept == [1]


def test_nobody_listening_is_unreachable_when_patience_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(WeightsError, match="cannot be connected to") as raised:
        asked(web_of(times=replace(QUICK, patience_seconds=0.1)), f"http://127.0.0.1:{port}/a")
    assert raised.value.reason == Reason.UNREACHABLE


def test_a_name_without_an_address_is_unreachable_when_patience_ends() -> None:
    def unknown(host: str, _: int) -> list[str]:
        raise socket.gaierror(-2, f"{host} unknown")

    with pytest.raises(WeightsError, match="has no address") as raised:
        asked(web_of(times=replace(QUICK, patience_seconds=0.05), resolve=unknown), "https://nowhere.example/a")
    assert raised.value.reason == Reason.UNREACHABLE


def test_a_request_goes_through_the_proxy_that_is_set() -> None:
    with served({}) as proxy:
        environment = {"HTTP_PROXY": f"http://me:secret@127.0.0.1:{proxy.server_port}", "NO_PROXY": "inner.example"}
        web = web_of(
            frozenset(), environment=environment, resolve=lambda host, _: [host.replace("a.example", "8.8.8.8")]
        )
        with pytest.raises(WeightsError):
            asked(web, "http://a.example/x?y")
    assert proxy.asked[0].path == "http://a.example:80/x"
    assert proxy.asked[0].headers["Proxy-Authorization"].startswith("Basic ")


@pytest.mark.parametrize("host", ["a.example", "b.a.example", "10.1.2.3"])
def test_no_proxy_names_hosts_domains_and_networks(host: str) -> None:
    environment = {"https_proxy": "http://p:3128", "no_proxy": ".a.example, 10.0.0.0/8"}
    assert proxy_for(origin_of(f"https://{host}/"), environment) is None
    assert proxy_for(origin_of("https://c.example/"), environment) is not None


def test_a_servers_word_on_when_to_come_back_is_kept_to_a_cap() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert told_seconds("7", now) == 7
    assert told_seconds("Thu, 01 Jan 2026 00:00:09 GMT", now) == 9
    assert told_seconds("Thu, 01 Jan 1970 00:00:00 GMT", now) == 0
    assert told_seconds("soon", now) is told_seconds(None, now) is None
    assert wait_seconds(Times(), 0, 99999.0, chance=0) <= Times().longest_told_seconds + 1


def test_waits_double_to_a_longest_one() -> None:
    waits = [wait_seconds(Times(), attempt, None, chance=1) for attempt in range(9)]
    assert waits[:3] == [0.5, 1, 2]
    assert waits[-1] == 30
    assert wait_seconds(Times(), 2, None, chance=0) == 1


def test_patience_is_counted_from_the_last_progress() -> None:
    now = [0.0]
    patience = Patience(replace(QUICK, patience_seconds=10), threading.Event(), lambda: now[0])
    for _ in range(5):
        now[0] += 9
        assert patience.wait(0, Interrupted("x"))
        patience.progressed()
    now[0] += 10
    assert not patience.wait(0, Interrupted("x"))


def test_a_wait_ends_when_the_process_is_told_to() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Patience(Times(), stop).wait(0, Interrupted("x", told_seconds=100))


def test_a_weak_etag_does_not_tell_parts_apart() -> None:
    assert validator_of({"etag": '"a"', "last-modified": "b"}) == '"a"'
    assert validator_of({"etag": 'W/"a"', "last-modified": "b"}) == "b"
    assert validator_of({}) is None
