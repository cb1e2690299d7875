"""The installed outlets, found by their entry points, and the settings with their sections."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from digitlens.config import example, settings_file
from digitlens.config.settings import Settings
from digitlens.config.settings_file import Section
from digitlens.config.toml_text import Place
from digitlens.core.errors import OutletError
from digitlens.core.registry import OUTLETS, drivers
from digitlens.outlets.base import Outlet


@cache
def outlets() -> dict[str, type[Outlet]]:
    """The outlets' classes by name, in alphabetical order.

    Raises:
        OutletError: an entry point of another package is broken; the line names it.
    """
    found: dict[str, type[Outlet]] = {}
    for name, entry in sorted(drivers(OUTLETS).items()):
        try:
            outlet = entry.load()
        except Exception as error:
            package = entry.dist.name if entry.dist is not None else entry.value
            raise OutletError(f"outlet {name}: {package} does not load ({error}): uninstall it") from error
        if not (isinstance(outlet, type) and issubclass(outlet, Outlet) and outlet.name == name):
            raise OutletError(f"outlet {name}: {entry.value} is no Outlet of that name")
        found[name] = outlet
    return found


def wanted(settings: Settings) -> dict[str, type[Outlet]]:
    """The outlets that the settings turn on."""
    return {
        name: outlet
        for name, outlet in outlets().items()
        if name in settings.outlets and outlet.is_on(settings.outlets[name])
    }


def sections() -> dict[str, Section]:
    """The sections of the settings file that the outlets bring."""
    return {
        name: Section(outlet.Settings, outlet.check, outlet.switch, outlet.is_on, outlet.sends_from_outbox)
        for name, outlet in outlets().items()
    }


def load_settings(
    file: Path | None,
    overrides: Mapping[Place, Any] | None = None,
    warn: Callable[[str], None] = lambda line: None,
) -> Settings:
    """The settings of a file that was named, or of the usual one if it exists, with all outlets' sections.

    Raises:
        SettingsError: see settings_file.load.
        OutletError: an installed outlet does not load.
    """
    return settings_file.chosen(file, overrides, sections(), warn)


def default_settings(overrides: Mapping[Place, Any] | None = None) -> Settings:
    """The settings without a file; `overrides` take precedence over the defaults.

    Raises:
        SettingsError: an override is not allowed.
    """
    return settings_file.defaults(overrides, sections())


def example_settings() -> str:
    """A settings file with every setting, its default and a sentence."""
    return example.render({name: outlet.Settings for name, outlet in outlets().items()})
