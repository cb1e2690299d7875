"""deploy/: scripts, unit and pins, as far as they can be tested without root; deploy/checks does the rest."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.is_file() and path.suffix in ("", ".sh") and path.read_bytes().startswith(b"#!/bin/bash")
)
UNIT = DEPLOY / "digitlens.service"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)


def pins(version: str) -> dict[str, Version]:
    text = (DEPLOY / "pins" / f"{version}.txt").read_text()
    found = re.findall(
        r"^([\w.-]+)==([\w.]+) \\((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)$", text, re.MULTILINE
    )
    assert len(found) == len(re.findall(r"^[a-z]", text, re.MULTILINE)), "a pin without hashes"
    return {canonicalize_name(name): Version(pinned) for name, pinned, _ in found}


def test_there_are_scripts():
    assert {"install.sh", "uninstall.sh", "bundle", "release", "pin"} <= {path.name for path in SCRIPTS}


@pytest.mark.program("shellcheck")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_shellcheck_finds_nothing(script):
    done = run("shellcheck", "--severity=warning", script)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh"])
def test_a_wrong_option_is_one_line(name):
    done = run("bash", DEPLOY / name, "--nonsense")
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"digitlens: usage: .*\n", done.stderr)


@pytest.mark.program("setpriv")
@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh"])
def test_root_is_required(name):
    # As text: the folder of the repository may be root's alone.
    text = (DEPLOY / name).read_text()
    done = run("setpriv", "--reuid=65534", "--clear-groups", "bash", "-c", text, "./install.sh")
    if "setpriv" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 1
    assert done.stderr == "digitlens: must be root: sudo ./install.sh\n"


@pytest.mark.program("systemd-analyze")
def test_the_unit_is_locked_down():
    done = run("systemd-analyze", "security", "--offline=yes", UNIT)
    found = re.search(r"exposure level for digitlens.service: ([\d.]+)", done.stdout)
    if not found:
        pytest.skip(f"systemd-analyze: {done.stderr.strip()}")
    assert float(found[1]) <= 1.2


@pytest.mark.program("systemd-analyze")
def test_the_drop_in_for_the_local_network_denies_all_else(tmp_path):
    text = UNIT.read_text() + (DEPLOY / "local-network.conf").read_text().partition("[Service]")[2]
    (tmp_path / UNIT.name).write_text(text.replace("[Install]\nWantedBy=multi-user.target\n", ""))
    done = run("systemd-analyze", "security", "--offline=yes", tmp_path / UNIT.name)
    if "IPAddressDeny=" not in done.stdout:
        pytest.skip(f"systemd-analyze: {done.stderr.strip()}")
    assert "does not define an IP address allow list" not in done.stdout


def test_the_sbom_names_what_is_inside_wheels(tmp_path):
    wheel = tmp_path / "opencv_python_headless-4.11.0.86-cp37-abi3-manylinux_2_17_aarch64.whl"
    build = (
        "General configuration for OpenCV 4.11.0 =====\n  Version control:   4.11.0\n  Media I/O: \n"
        "    ZLib:                        zlib (ver 1.3.1)\n"
        "    JPEG:                        build-libjpeg-turbo (ver 3.0.3-70)\n"
        "    WEBP:                        build (ver decoder: 0x0209, encoder: 0x020f)\n"
        "    FFMPEG:                      YES\n    Lapack:   YES (/lib64/libopenblas.so)\n"
        "    OpenCL:                      YES (no extra features)\n\0"
    )
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("cv2/cv2.abi3.so", b"\x7fELF\0" + build.encode() + b"more\0")
        for name, content in (
            ("libavcodec-76c43bf0.so.59.37.100", b"x"), ("libopenblas-r0-f650aae0.3.3.so", b"y"),
            ("libcrypto-8c1ab3ad.so.1.1", b"..OpenSSL 1.1.1w  11 Sep 2023\0"),
        ):  # fmt: skip
            archive.writestr(f"opencv_python_headless.libs/{name}", content)
    done = run(sys.executable, DEPLOY / "contents.py", wheel)
    (found,) = json.loads(done.stdout).values()
    assert {(one["name"], one["version"]) for one in found} == {
        ("libavcodec", "59.37.100"), ("libopenblas", "0.3.3"), ("libcrypto", "1.1.1w"),
        ("ZLib", "1.3.1"), ("JPEG", "3.0.3-70"), ("WEBP", "decoder: 0x0209, encoder: 0x020f"),
    }  # fmt: skip
    assert list(json.loads(done.stdout)) == ["opencv-python-headless"]
    assert {len(one["hashes"][0]["content"]) for one in found if "hashes" in one} == {64}


def test_the_unit_starts_the_service():
    text = UNIT.read_text()
    for setting in ("Type=notify", "Restart=always", "RestartPreventExitStatus=78", "NoNewPrivileges=yes"):
        assert re.search(rf"^{setting}$", text, re.MULTILINE), setting
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_every_dependency_of_the_wheel_is_pinned(version):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = map(Requirement, [*project["dependencies"], *extras["mqtt"], *extras["web"], *extras["sheets"]])
    pinned = pins(version)
    for requirement in needed:
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_what_builds_the_wheel_is_pinned_by_hash():
    text = (DEPLOY / "pins" / "build.lock").read_text()
    names = re.findall(r"^([a-z][\w-]*)==\S+ \\$", text, re.MULTILINE)
    assert "hatchling" in names
    assert len(names) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert len(re.findall(r"\\\n    --hash=sha256:[0-9a-f]{64}$", text, re.MULTILINE)) >= len(names)


@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh"])
def test_the_lock_is_in_a_folder_of_root(name):
    """Where others can write, anybody could hold it."""
    (lock,) = re.findall(r"^exec 9>(\S+)$", (DEPLOY / name).read_text(), re.MULTILINE)
    assert Path(lock).parent == Path("/run")


def test_bookworm_keeps_numpy_1():
    assert pins("3.11")["numpy"] < Version("2")
