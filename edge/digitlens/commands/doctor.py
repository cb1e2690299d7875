"""digitlens doctor: checks of this machine, each with its fix."""

import argparse
import sys
from pathlib import Path

import msgspec

from digitlens.config import settings_file
from digitlens.config.settings import Settings
from digitlens.core.errors import SettingsError
from digitlens.core.paths import printable
from digitlens.core.stderr import quiet
from digitlens.images.opencv_log import silence_opencv
from digitlens.outlets import registry


def add_options(doctor: argparse.ArgumentParser) -> None:
    """The options of digitlens doctor."""
    doctor.set_defaults(run=run)
    doctor.add_argument(
        "--config", type=Path, metavar="FILE",
        help=f"the settings file (default: {settings_file.DEFAULT}, if it is there)",
    )  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="one JSON object, for programs")


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 if something needs a fix."""
    from digitlens.service import doctor

    file = options.config or settings_file.DEFAULT
    settings: Settings | None = None
    complaint = ""
    try:
        settings = registry.load_settings(options.config)
    except SettingsError as error:
        complaint = str(error)
    silence_opencv()
    with quiet():
        findings = doctor.examine(settings, complaint, file)
    if options.json:
        found = {
            finding.name: {"state": finding.state, "said": printable(finding.message)} for finding in findings
        }
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        for finding in findings:
            print(f"{finding.name + ':':<13} {finding.state + ':':<8} {printable(finding.message)}")
    return 1 if any(finding.state == "fix" for finding in findings) else 0
