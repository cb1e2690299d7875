"""Make the secrets of the fleet's broker, which no repository may hold: certificates, passwords, tokens.

    python deploy/fleet/prepare.py --host broker.local kitchen shed pump-1
    python deploy/fleet/prepare.py --host broker.local --admin anna      # a person, who may read and clear
    python deploy/fleet/prepare.py --host broker.local --remove shed     # a device or a person

Creates `secrets/` beside this file: an authority and the broker's certificate (with openssl), a password for
each device and person named (secrets/devices/NAME.password, secrets/people/NAME.password), for the services
and an observer, the broker's access rules, and `.env` for compose. Called again, it adds the new ones and
changes nothing else; a running broker reads them on SIGHUP, and hangs up on who was removed.
"""

import argparse
import base64
import hashlib
import os
import re
import secrets
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

SERVICES = ("telegraf", "homeassistant", "observer")
ROUNDS = 101
"""Rounds of PBKDF2, as Mosquitto has them; more are for passwords that are no 128 random bits."""
YEARS = 10
"""Validity of the certificates, years."""
SIGNS = "keyUsage=critical,keyCertSign,cRLSign"
"""Extension of the authority, without which Python 3.13 does not trust it."""
SERVES = ("authorityKeyIdentifier=keyid", "basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature")
"""Extensions of the broker's certificate, for the same reason."""


def main() -> int:
    """Create what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True, help="the broker's name or address, as the devices call it")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="default: this one")
    parser.add_argument("devices", nargs="*", metavar="DEVICE", help="names: letters, digits, - and _")
    parser.add_argument("--admin", action="append", default=[], metavar="PERSON", help="may be given again")
    parser.add_argument("--remove", action="append", default=[], metavar="NAME", help="may be given again")
    options = parser.parse_args()
    for name in (*options.devices, *options.admin, *options.remove):
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) or name in SERVICES:
            parser.error(f"{name}: a name is of letters, digits, - and _, and none of {SERVICES}")
    if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", options.host):
        parser.error(f"{options.host}: take a host's name or address")
    os.umask(0o077)
    folder = options.folder / "secrets"
    for kind in ("devices", "people"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    authority(folder, options.host)
    if both := {path.stem for path in (folder / "people").iterdir()} & {*options.devices}:
        parser.error(f"{', '.join(sorted(both))}: is a person's name")
    if both := {path.stem for path in (folder / "devices").iterdir()} & {*options.admin}:
        parser.error(f"{', '.join(sorted(both))}: is a device's name")
    remove(folder, options.remove)
    users(folder, options.devices, options.admin)
    access(folder)
    environment(options.folder / ".env")
    print(f"{folder}: give each device its password and ca.crt; see the README")
    return 0


def authority(folder: Path, host: str) -> None:
    """Create ca.crt and broker.crt, unless they exist."""
    if (folder / "broker.crt").exists():
        return

    def openssl(*arguments: str) -> None:
        try:
            subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            sys.exit("openssl is missing: apt install openssl")
        except subprocess.CalledProcessError as error:
            sys.exit(f"openssl: {error.stderr}")

    days = ("-days", str(365 * YEARS))
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=digitlens fleet",
        "-addext", SIGNS, *days,
    )  # fmt: skip
    openssl("req", *key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", f"/CN={host}")
    try:
        name = f"IP:{ip_address(host)}"
    except ValueError:
        name = f"DNS:{host}"
    (folder / "names").write_text("\n".join((f"subjectAltName={name}", *SERVES)) + "\n")
    openssl(
        "x509", "-req", "-in", "broker.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-extfile", "names", "-out", "broker.crt", *days,
    )  # fmt: skip
    for name in ("broker.csr", "names", "ca.srl"):
        (folder / name).unlink()
    # Mosquitto in its container is another user; the folder, which only we can enter, protects the files.
    for name in ("ca.crt", "broker.crt", "broker.key"):
        (folder / name).chmod(0o644)


def remove(folder: Path, names: list[str]) -> None:
    """Delete the passwords of devices or people, which the broker then knows no more."""
    passwords = folder / "passwords"
    lines = passwords.read_text().splitlines() if passwords.exists() else []
    for name in names:
        for kind in ("devices", "people"):
            (folder / kind / f"{name}.password").unlink(missing_ok=True)
        lines = [line for line in lines if line.partition(":")[0] != name]
    if names:
        passwords.write_text("".join(f"{line}\n" for line in lines))


def access(folder: Path) -> None:
    """Create the broker's access rules: the shipped ones, and those of people."""
    rules = (Path(__file__).parent / "mosquitto" / "access").read_text()
    for path in sorted((folder / "people").glob("*.password")):
        rules += f"\nuser {path.stem}\ntopic readwrite digitlens/#\ntopic readwrite homeassistant/#\n"
    (folder / "access").write_text(rules)
    (folder / "access").chmod(0o644)


def users(folder: Path, devices: list[str], people: list[str]) -> None:
    """Create a password for each that has none, and the file of their hashes."""
    places = {name: folder / f"{name}.password" for name in SERVICES}
    places |= {name: folder / "devices" / f"{name}.password" for name in devices}
    places |= {name: folder / "people" / f"{name}.password" for name in people}
    passwords = folder / "passwords"
    lines = passwords.read_text().splitlines() if passwords.exists() else []
    known = {line.partition(":")[0] for line in lines}
    for name, place in places.items():
        if name not in known:
            password = secrets.token_hex(16)
            place.write_text(f"{password}\n")
            place.chmod(0o600)
            salt = secrets.token_bytes(12)
            digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
            encoded = (base64.b64encode(part).decode() for part in (salt, digest))
            lines.append(f"{name}:$7${ROUNDS}${'$'.join(encoded)}")
    passwords.write_text("\n".join(lines) + "\n")
    passwords.chmod(0o644)


def environment(file: Path) -> None:
    """Create .env, unless it exists."""
    if file.exists():
        return
    place = file.parent / "secrets" / "telegraf.password"
    file.write_text(
        f"INFLUX_TOKEN={secrets.token_hex(32)}\n"
        f"INFLUX_PASSWORD={secrets.token_hex(16)}\n"
        f"GRAFANA_PASSWORD={secrets.token_hex(16)}\n"
        f"MQTT_TELEGRAF_PASSWORD={place.read_text().strip()}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
