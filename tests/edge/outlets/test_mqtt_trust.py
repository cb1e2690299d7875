"""Security of the MQTT outlet: passwords, certificates, access rules."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from digitlens.core.errors import OutletError
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.mqtt_settings import MqttSettings
from tests import needs
from tests.edge.outlets.brokers import (
    DEADLINE,
    Broker,
    WatchedOutbox,
    broker,
    certificates,
    draft,
    free_port,
)


def passwords(folder: Path, password: str) -> str:
    file = folder / "passwords"
    subprocess.run(
        [needs.path("mosquitto_passwd"), "-b", "-c", str(file), "pi", password],
        check=True,
        capture_output=True,
    )
    file.chmod(0o644)
    return f"allow_anonymous false\npassword_file {file}\n"


@pytest.mark.broker
def test_a_wrong_password_is_reported_once_and_fixed_without_a_restart(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    tmp_path.chmod(0o755)
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    with broker(tmp_path, passwords(tmp_path, "right")) as one:
        opened = mqtt_outlet(one.port, user="pi", password_file=str(secret))
        opened.announce(watched.add([draft(1)]))
        said = watched.lines.get(timeout=DEADLINE)
        assert said == f"mqtt: 127.0.0.1:{one.port}: not authorized: look at user and password_file"
        secret.write_text("right\n")
        watched.wait_empty("mqtt")
        assert "connected" in watched.lines.get(timeout=DEADLINE)
        assert watched.lines.empty()


@pytest.mark.broker
def test_the_password_comes_from_systemds_credentials(
    tmp_path: Path,
    watched: WatchedOutbox,
    mqtt_outlet: Callable[..., MqttOutlet],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "mqtt-password").write_text("right")
    (tmp_path / "mqtt-password").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with broker(tmp_path, passwords(tmp_path, "right")) as one:
        mqtt_outlet(one.port, user="pi").announce(watched.add([draft(1)]))
        watched.wait_empty("mqtt")


@pytest.mark.broker
def test_messages_that_the_broker_refuses_stay_in_the_outbox(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite homeassistant/#\ntopic readwrite digitlens/pi/status\n")
    with broker(tmp_path, f"allow_anonymous true\nacl_file {rules}\n") as one:
        opened = mqtt_outlet(one.port)
        opened.announce(watched.add([draft(1)]))
        said = ""
        while "refuses messages below digitlens/pi: not authorized" not in said:
            said = watched.lines.get(timeout=DEADLINE)  # first, maybe, that the broker has hung up
        assert watched.pending_count("mqtt") == 1


@pytest.mark.broker
@pytest.mark.program("openssl")
def test_tls_accepts_only_a_good_certificate(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    settings = certificates(tmp_path, 1)
    with broker(tmp_path, settings) as one:
        strange = mqtt_outlet(one.port, tls=True)  # of no authority that the system knows
        strange.announce(watched.add([draft(1)]))
        said = watched.lines.get(timeout=DEADLINE)
        assert "its certificate is not trusted: self-signed certificate in certificate chain" in said
        strange.close()
        mqtt_outlet(one.port, tls=True, ca_file=str(tmp_path / "ca.crt"))
        watched.wait_empty("mqtt")


@pytest.mark.broker
@pytest.mark.program("openssl")
def test_an_expired_certificate_is_refused_until_it_is_renewed(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    one = Broker(tmp_path, certificates(tmp_path, -1))
    try:
        one.start()
        opened = mqtt_outlet(one.port, tls=True, ca_file=str(tmp_path / "ca.crt"))
        entries = watched.add([draft(count) for count in range(50)])
        opened.announce(entries)
        assert "its certificate is not trusted: certificate has expired" in watched.lines.get(
            timeout=DEADLINE
        )
        assert watched.pending_count("mqtt") == 50
        one.kill()
        subprocess.run(
            [needs.path("openssl"), "x509", "-req", "-in", "broker.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
             "-extfile", "names", "-out", "broker.crt", "-days", "1"],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
        one.start()
        watched.wait_empty("mqtt")
    finally:
        one.kill()


def test_files_that_cannot_be_read_are_reported_at_once(tmp_path: Path, watched: WatchedOutbox) -> None:
    settings = MqttSettings(
        broker="127.0.0.1", port=free_port(), user="pi", password_file=str(tmp_path / "none")
    )
    with pytest.raises(OutletError, match=r"mqtt\.password_file: .*none: cannot be read: No such file"):
        MqttOutlet(settings, "pi", watched)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "empty").chmod(0o644)
    settings = MqttSettings(broker="127.0.0.1", password_file=str(tmp_path / "empty"))
    with pytest.raises(OutletError, match=r"others than its group can reach it: chmod 640 .*/empty"):
        MqttOutlet(settings, "pi", watched)
    (tmp_path / "empty").chmod(0o640)
    settings = MqttSettings(broker="127.0.0.1", password_file=str(tmp_path / "empty"))
    with pytest.raises(OutletError, match="must hold one line"):
        MqttOutlet(settings, "pi", watched)
    settings = MqttSettings(broker="127.0.0.1", tls=True, ca_file=str(tmp_path / "empty"))
    with pytest.raises(OutletError, match=r"mqtt\.ca_file: .*empty: holds no certificate"):
        MqttOutlet(settings, "pi", watched)
