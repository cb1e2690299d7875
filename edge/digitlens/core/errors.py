"""What digitlens raises; each child also inherits the builtin that fits."""


class DigitLensError(Exception):
    """The base of all errors whose message is meant for the user."""


class PictureError(DigitLensError, ValueError):
    """A picture that cannot be read: missing, broken, or too large."""


class ModelError(DigitLensError, ValueError):
    """A model file that is missing, or does not fit its card."""


class DependencyError(DigitLensError, ImportError):
    """An optional package that is asked for and not installed."""


class CameraError(DigitLensError, OSError):
    """A camera that is not there, busy, or gone."""


class CameraStalled(CameraError, TimeoutError):  # noqa: N818  # a state that may pass
    """A camera that reports no error and gives no frames."""


class DisplayError(DigitLensError, RuntimeError):
    """A screen that cannot be had, or that went away."""


class RecordError(DigitLensError, OSError):
    """A recording that cannot be begun, or not go on."""


class SettingsError(DigitLensError, ValueError):
    """A settings file that is missing, is no TOML, or says what cannot be."""


class TemplateError(DigitLensError, ValueError):
    """A form's template that is missing, is no TOML, or says what cannot be."""


class SheetError(DigitLensError, ValueError):
    """A form's page that cannot be printed, or read."""


class JournalError(DigitLensError, OSError):
    """A journal that cannot be opened, or written to."""


class OutletError(DigitLensError, OSError):
    """An outlet that cannot be opened: a port that is taken, a file that is missing."""


class BatchError(DigitLensError, RuntimeError):
    """A run over an archive that cannot be begun or not go on: a folder of another run, workers that end."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the name of its class where it has none."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def reason(error: Exception) -> str:
    """What went wrong, in one line, the file's name left out."""
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return (error.strerror if isinstance(error, OSError) else None) or first_line(error)
