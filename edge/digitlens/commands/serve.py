"""digitlens serve: the options, the settings file, and how it ends."""

import argparse
import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

from digitlens.commands.terminal import Renamed, probability
from digitlens.config import settings_file
from digitlens.config.settings import RowNetworkUse, Settings, SignUse
from digitlens.config.toml_text import Place
from digitlens.core.errors import (
    DependencyError,
    DigitLensError,
    ModelError,
    SettingsError,
    SheetError,
    TemplateError,
)
from digitlens.core.paths import printable
from digitlens.outlets import registry
from digitlens.outlets.base import Outlet
from digitlens.service import logs

CONFIGURATION = 78
"""EX_CONFIG of sysexits.h: a person must fix the settings, or the model."""
SOFTWARE = 70
"""EX_SOFTWARE: an error of our own."""

_log = logging.getLogger(__name__)


class _Override(NamedTuple):
    """An option that takes precedence over a setting."""

    flag: str
    place: Place
    help: str
    extra: dict[str, Any]


def _turn(text: str) -> int | str:
    """The value of [reader] turn, which the settings check."""
    return int(text) if text.isdecimal() else text


OVERRIDES = (
    _Override("--name", ("name",), "of this device, in topics and ids", {}),
    _Override("--log", ("log",), "how much is logged", {"choices": list(logs.LEVELS)}),
    _Override(
        "--camera", ("camera", "source"), "[camera] source", {"metavar": "auto|picamera|usb:N|URL|PATH"}
    ),
    _Override("--rate", ("camera", "rate"), "frames a second", {"type": float, "metavar": "N"}),
    _Override(
        "--rotation",
        ("camera", "rotation"),
        "degrees clockwise: 0, 90, 180, 270",
        {"type": int, "metavar": "N"},
    ),
    _Override("--flip", ("camera", "flip"), "horizontal, vertical or both", {}),
    _Override(
        "--repeat", ("camera", "repeat"), "play a replay N times; 0: always", {"type": int, "metavar": "N"}
    ),
    _Override(
        "--hold",
        ("camera", "hold"),
        "show each picture of a replay for N frames",
        {"type": int, "metavar": "N"},
    ),
    _Override("--model", ("reader", "model"), "the network", {"metavar": "NAME|PATH"}),
    _Override("--threads", ("reader", "threads"), "of the network", {"type": int, "metavar": "N"}),
    _Override(
        "--separator", ("reader", "separator"), "written for a decimal point or comma", {"metavar": "SIGN"}
    ),
    _Override(
        "--signs",
        ("reader", "signs"),
        "signs between digits part numbers, or are kept in them",
        {"choices": get_args(SignUse)},
    ),
    _Override(
        "--least-confidence",
        ("reader", "least_confidence"),
        "leave out numbers with a confidence below P",
        {"type": probability, "metavar": "P"},
    ),
    _Override(
        "--row-network",
        ("reader", "row_network"),
        "which rows the row network reads as well",
        {"choices": get_args(RowNetworkUse)},
    ),
    _Override(
        "--printed",
        ("reader", "printed"),
        "read printed digits as well",
        {"action": "store_true", "default": None},
    ),
    _Override(
        "--turn",
        ("reader", "turn"),
        "degrees counterclockwise by which the picture is turned to read it; auto: find out",
        {"type": _turn, "metavar": "auto|0|90|180|270"},
    ),
    _Override(
        "--sheet", ("sheet", "template"), "take sheets of this form instead of numbers", {"metavar": "FILE"}
    ),
    _Override(
        "--beep", ("sheet", "beep"), "a sound for each sheet", {"action": "store_true", "default": None}
    ),
    _Override("--journal", ("journal", "file"), "[journal] file", {"metavar": "FILE"}),
)


def add_options(serve: argparse.ArgumentParser) -> None:
    """The options of digitlens serve, those of the installed outlets included."""
    serve.set_defaults(run=run)
    serve.add_argument(
        "--config", type=Path, metavar="FILE",
        help=f"the settings file (default: {settings_file.DEFAULT}, if it exists)",
    )  # fmt: skip
    serve.add_argument(
        "--check", nargs="?", const="all", choices=("all", "settings"),
        help="say whether the settings are right, and what they name is there, and end; settings: whether a "
        "reload would take them",
    )  # fmt: skip
    serve.add_argument(
        "--example", action="store_true", help="print a settings file with every setting, and end"
    )
    above = serve.add_argument_group("options that take precedence over the settings of the same name")
    for override in (*OVERRIDES, *_of_outlets()):
        above.add_argument(
            override.flag, dest=_destination(override.place), help=override.help, **override.extra
        )
    above.add_argument(
        "--whole", action=Renamed, to="--row-network", dest=_destination(("reader", "row_network")),
        choices=get_args(RowNetworkUse),
    )  # fmt: skip


@cache
def _of_outlets() -> tuple[_Override, ...]:
    return tuple(
        _Override(option.flag, (name, option.key), option.help, _kind(outlet, option.key, option.metavar))
        for name, outlet in registry.outlets().items()
        for option in outlet.options
    )


def _kind(outlet: type[Outlet], key: str, metavar: str | None) -> dict[str, Any]:
    """How the command line takes a value for the key."""
    if metavar is None:
        return {"action": "store_true", "default": None}
    default = getattr(outlet.Settings(), key)
    return {"metavar": metavar, "type": type(default) if isinstance(default, int | float) else str}


def _destination(place: Place) -> str:
    return ".".join(place)


def load(options: argparse.Namespace) -> Settings:
    """The settings of the file, with the options that take precedence.

    Raises:
        SettingsError: see settings_file.load.
        OutletError: an installed outlet does not load.
    """
    places = [override.place for override in (*OVERRIDES, *_of_outlets())]
    values = {place: getattr(options, _destination(place)) for place in places}
    given: dict[Place, Any] = {place: value for place, value in values.items() if value is not None}
    return registry.load_settings(options.config, given, _warn_once)


@cache
def _warn_once(line: str) -> None:
    _log.warning("%s", line)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal; the exit status."""
    if options.example:
        sys.stdout.write(registry.example_settings())
        return 0
    environment = os.environ
    debug = environment.get("DIGITLENS_DEBUG") == "1"
    logs.begin("info", environment)
    try:
        settings = load(options)
        if options.check:
            return _check(options, settings)
        logs.begin(settings.log, environment)
        return _serve(options, debug)
    except (SettingsError, ModelError, DependencyError, TemplateError, SheetError) as error:
        _log.error("%s", error)
        return CONFIGURATION
    except DigitLensError as error:
        _log.error("%s", error)
        return 1
    except BrokenPipeError:
        raise
    except Exception:
        _log.critical("ended by an error of its own", exc_info=True)
        return SOFTWARE


def _serve(options: argparse.Namespace, debug: bool) -> int:
    from digitlens.images.opencv_log import silence_opencv
    from digitlens.service.notify import open_notify
    from digitlens.service.service import Service
    from digitlens.service.signals import Stop

    if not debug:
        silence_opencv()
    stop = Stop()
    with stop.signals(reload=True):
        notify = open_notify(os.environ)
        os.environ.pop("NOTIFY_SOCKET", None)  # no child process is to notify systemd in our name
        try:
            Service(lambda: load(options), stop, notify).run()
        finally:
            notify.close()
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from digitlens.outlets.assembly import preflight, warnings
    from digitlens.service.readers import make_reader

    make_reader(settings)
    if options.check == "all":  # systemd has no credentials for ExecReload=: they would seem to be missing
        problems = preflight(settings)
        for line in problems:
            _log.error("%s", line)
        if problems:
            return CONFIGURATION
        for line in warnings(settings):
            _log.warning("%s", line)
    file = options.config or settings_file.DEFAULT
    print(printable(f"{file}: ok" if file.exists() else f"{file}: not there; the defaults are ok"))
    return 0
