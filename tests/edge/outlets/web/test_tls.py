"""The page with TLS of its own, and behind proxies that say who asks."""

import http.client
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.config.values import Invalid
from digitlens.core.errors import OutletError, SettingsError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.registry import default_settings
from digitlens.outlets.tls import server_context
from digitlens.outlets.web.access import FREE_FAILURES
from digitlens.outlets.web.addresses import client
from digitlens.outlets.web.outlet import WebOutlet
from digitlens.outlets.web.settings import WebSettings
from tests import needs
from tests.edge.outlets.brokers import certificates
from tests.edge.outlets.web.viewing import LONG, TOKEN, asked

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.crt, broker.crt and broker.key, for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates(folder, 2)
    (folder / "broker.key").chmod(0o640)
    return folder


def page(**options: Any) -> WebOutlet:
    return WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"), token=TOKEN, **options)


@pytest.mark.program("openssl")
def test_a_page_with_a_certificate_is_encrypted(issued: Path) -> None:
    context = server_context(str(issued / "broker.crt"), str(issued / "broker.key"))
    web = page(tls=context)
    try:
        assert web.url == f"https://127.0.0.1:{web.port}/"
        trusting = ssl.create_default_context(cafile=issued / "ca.crt")
        line = http.client.HTTPSConnection("127.0.0.1", web.port, timeout=LONG, context=trusting)
        origin = {"Content-Type": FORM, "Origin": web.url.rstrip("/")}
        line.request("POST", "/sign-in", urlencode({"token": TOKEN}), origin)
        answer = line.getresponse()
        assert answer.status == 303
        cookie = answer.headers["Set-Cookie"]
        assert "Secure" in cookie.split("; ")
        answer.read()
        line.request("GET", "/page/app.js", headers={"Cookie": cookie.partition(";")[0]})
        answer = line.getresponse()
        assert (answer.status, len(answer.read()) > 1000) == (200, True)
        line.close()
        with pytest.raises((OSError, http.client.HTTPException)), asked(web.port, "/"):
            pass  # plain http is no TLS handshake
    finally:
        web.close()


@pytest.mark.program("openssl")
def test_certificates_that_cannot_be_used(issued: Path, tmp_path: Path) -> None:
    crt, key = issued / "broker.crt", issued / "broker.key"
    for name, content, mode in (("text", b"no key\n", 0o600), ("open", key.read_bytes(), 0o644)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    shutil.copy(issued / "ca.key", tmp_path / "other")
    (tmp_path / "other").chmod(0o600)
    subprocess.run(
        [
            needs.path("openssl"),
            "pkey",
            "-in",
            key,
            "-aes256",
            "-passout",
            "pass:x",
            "-out",
            tmp_path / "shut",
        ],
        check=True,
    )
    (tmp_path / "shut").chmod(0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for cert_file, key_file, why in (
        (tmp_path / "none", key, "cert_file: .*/none: cannot be read: No such file"),
        (tmp_path / "pipe", key, "cert_file: .*/pipe: not a file"),
        (tmp_path / "text", key, "are no certificate and key in PEM"),
        (crt, tmp_path / "none", "key_file: .*/none: cannot be read"),
        (crt, tmp_path / "pipe", "key_file: .*/pipe: not a file"),
        (crt, tmp_path / "text", "are no certificate and key in PEM"),
        (crt, tmp_path / "open", "chmod 640"),
        (crt, tmp_path / "other", "is not the key of"),
        (crt, tmp_path / "shut", "has a passphrase"),
    ):
        with pytest.raises(OutletError, match=why):
            server_context(str(cert_file), str(key_file))
        (problem,) = WebOutlet.preflight(
            WebSettings(listen="127.0.0.1:8080", cert_file=str(cert_file), key_file=str(key_file))
        )
        assert problem.startswith("[web] ")
        assert "\n" not in problem


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("cert_file", "/a", "[web] key_file: is missing"),
        ("key_file", "/a", "[web] cert_file: is missing"),
        ("trusted_proxies", ("proxy.local",), '[web] trusted_proxies: "proxy.local": take an address'),
        ("trusted_proxies", ("0.0.0.0/0",), "[web] trusted_proxies: .*everybody"),
        ("trusted_proxies", ("::1", "::/0"), "[web] trusted_proxies: .*everybody"),
    ],
)
def test_settings_that_do_not_go_together(key: str, value: object, why: str) -> None:
    with pytest.raises(SettingsError, match=why.replace("[", r"\[")) as caught:
        default_settings({("web", key): value})
    assert isinstance(caught.value.__cause__, Invalid)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # no proxy: its own word
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),  # the client has begun the list itself
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),  # two proxies
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("?", "198.51.100.7", "?"),
    ],
)
def test_the_clients_address(peer: str, forwarded: str, address: str) -> None:
    import ipaddress

    proxies = [ipaddress.ip_network(one) for one in ("10.0.0.0/8", "::1")]
    assert client(peer, forwarded, proxies) == address


def test_behind_a_proxy_wrong_tries_count_for_their_client(lines: list[str]) -> None:
    web = page(trusted_proxies=["127.0.0.1"], say=lines.append)
    try:
        for _ in range(FREE_FAILURES):
            with asked(web.port, "/", Authorization="Bearer x", X_Forwarded_For="198.51.100.7") as answer:
                assert answer.status == 401
        for address, status in (("198.51.100.7", 429), ("198.51.100.8", 401)):
            with asked(web.port, "/", Authorization="Bearer x", X_Forwarded_For=address) as answer:
                assert answer.status == status
        assert any("wrong token from 198.51.100.7" in line for line in lines)
        body = urlencode({"token": TOKEN})
        for scheme, secure in (("https", True), ("http", False), ("https, http", False)):
            with asked(
                web.port, "/sign-in", "POST", body, Content_Type=FORM, X_Forwarded_Proto=scheme,
            ) as answer:  # fmt: skip
                assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) == secure
    finally:
        web.close()


def test_a_stranger_cannot_claim_to_be_behind_a_proxy(lines: list[str]) -> None:
    web = page(say=lines.append)
    try:
        for count in range(FREE_FAILURES):
            with asked(web.port, "/", Authorization="Bearer x", X_Forwarded_For=f"198.51.100.{count}"):
                pass
        with asked(web.port, "/", Authorization="Bearer x", X_Forwarded_For="198.51.100.99") as answer:
            assert answer.status == 429
        body = urlencode({"token": TOKEN})
        with asked(
            web.port, "/sign-in", "POST", body, Content_Type=FORM, X_Forwarded_Proto="https"
        ) as answer:
            assert "Secure" not in answer.headers["Set-Cookie"].split("; ")
    finally:
        web.close()


def test_behind_a_proxy_a_page_needs_a_token(web: WebOutlet) -> None:
    with pytest.raises(OutletError, match="needs a token"):
        WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("x"), trusted_proxies=["127.0.0.1"])
    settings = WebSettings(listen="127.0.0.1:8080", trusted_proxies=("127.0.0.1",))
    assert "needs a token" in WebOutlet.preflight(settings)[0]
    with asked(web.port, "/") as answer:
        assert answer.status == 200
    for name in ("X_Forwarded_For", "Forwarded", "X_Real_IP"):
        with asked(web.port, "/", **{name: "for=198.51.100.7"}) as answer:
            assert answer.status == 403
