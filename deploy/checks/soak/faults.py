"""Faults, one a minute: each is made and undone, and returns how the service failed, if it did."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import sleep

from service import Service
from sheets import Sheets

SHORT, LONG = 6.0, 12.0
"""Duration of a fault, seconds."""


class Faults:
    """The faults that can be made here; `skipped` says which cannot, and why."""

    def __init__(
        self, folder: Path, config: Path, service: Service, sheets: Sheets, broker: "Broker | None"
    ) -> None:
        self._folder, self._config = folder, config
        self._service, self._sheets, self._broker = service, sheets, broker
        self._right = config.read_text()
        self.skipped: dict[str, str] = {}
        self.all: dict[str, Callable[[], str]] = {
            "camera gone": self._gone,
            "reload": self._reload,
            "frames cut off": self._broken,
            "black frames": self._black,
            "settings wrong": self._wrong,
            "frozen process": self._frozen,
            "another resolution": self._small,
            "snow": self._snow,
            "reload of the camera": self._camera,
            "reloads in a row": self._reloads,
            "a model that is missing": self._model,
        }
        if os.path.ismount(folder / "state"):
            self.all["disk full"] = self._full
        else:
            self.skipped["disk full"] = "needs root, for a small file system"
        if broker is not None:
            self.all["broker down"] = self._down
        else:
            self.skipped["broker down"] = "mosquitto or paho-mqtt is not installed"

    def _gone(self) -> str:
        hidden = self._sheets.folder.with_suffix(".hidden")
        self._sheets.folder.rename(hidden)
        lost = self._service.until(lambda: self._service.states[-1].startswith("WATCHDOG_USEC"), LONG)
        sleep(LONG)
        hidden.rename(self._sheets.folder)
        return "" if lost else "the camera was not missed"

    def _broken(self) -> str:
        self._sheets.broken()
        sleep(SHORT)
        self._sheets.again()
        return ""

    def _black(self) -> str:
        self._sheets.black()
        sleep(LONG)
        self._sheets.again()
        return ""

    def _snow(self) -> str:
        self._sheets.snow()
        sleep(SHORT)
        self._sheets.again()
        return ""

    def _small(self) -> str:
        self._sheets.small()
        sleep(LONG)
        self._sheets.again()
        return ""

    def _frozen(self) -> str:
        self._service.signal(signal.SIGSTOP)
        sleep(SHORT)
        self._service.signal(signal.SIGCONT)
        return ""

    def _reload(self) -> str:
        return self._with(self._right + "\n[region.all]\ncorners = [0, 0, 1, 1]\n", "", "stay")

    def _camera(self) -> str:
        return self._with(self._right.replace("rate = 5", "rate = 4"), "", "stay")

    def _wrong(self) -> str:
        return self._with(self._right + "\n[region.all]\ncorners = [0, 0, 1, 7]\n", "stay as they were", "")

    def _model(self) -> str:
        return self._with(self._right + '\n[reader]\nmodel = "/missing.tflite"\n', "stay as they were", "")

    def _reloads(self) -> str:
        for _ in range(5):
            self._service.signal(signal.SIGHUP)
            sleep(0.05)
        return self._with(self._right, "", "stay")

    def _with(self, text: str, said: str, not_said: str) -> str:
        """Reload with other settings, and then with the right ones."""
        self._config.write_text(text)
        status = self._service.reload()
        sleep(1)
        self._config.write_text(self._right)
        again = self._service.reload()
        if not status or said not in status or (not_said and not_said in status):
            return f"the reload said: {status or 'nothing'}"
        return "" if again and "stay" not in again else f"the reload back said: {again or 'nothing'}"

    def _full(self) -> str:
        filler = self._folder / "state" / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        self._sheets.next()  # something to be written
        sleep(LONG)
        filler.unlink()
        return ""

    def _down(self) -> str:
        assert self._broker is not None
        self._broker.stop()
        sleep(LONG)
        self._broker.start()
        return ""


class Broker:
    """A real Mosquitto, with the messages of a subscriber."""

    @staticmethod
    def here() -> bool:
        """Whether Mosquitto and its client are installed."""
        try:
            import paho.mqtt.client  # noqa: F401
        except ImportError:
            return False
        return Broker._program() is not None

    @staticmethod
    def _program() -> str | None:
        return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    def __init__(self, folder: Path) -> None:
        from paho.mqtt.client import Client, MQTTMessage
        from paho.mqtt.enums import CallbackAPIVersion

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.events: dict[str, bytes] = {}
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.start()

        def came(client: Client, data: object, message: MQTTMessage) -> None:
            import json

            self.events[json.loads(message.payload)["id"]] = message.payload

        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("digitlens/+/event", 1)
        self._client.on_message = came
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", self.port)
        self._client.loop_start()

    def start(self) -> None:
        """Start it."""
        program = self._program()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """Kill it; messages that it had not delivered are lost."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, and the subscriber."""
        self._client.loop_stop()
        self.stop()
