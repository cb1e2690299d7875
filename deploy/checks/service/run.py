"""SIGTERM while broker, receiver and viewers are silent, and reload storms: nothing is lost, nothing waits.

Numbers come and go all the time. It passes if

- the service ends within 5 s of each SIGTERM with exit status 0, every announced entry is in the journal, and
  all of them arrive once the receiver answers;
- after 100 reloads at random moments, with settings right and wrong, the last right settings are in force,
  every announced entry is in the journal, and no frame came more than 1 s after the one before.

Of all times that is left out for which the process had no processor: the machine may be busy.
"""

import argparse
import json
import random
import signal
import socket
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT), str(Path(__file__).parent)]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from process import Process, Silent  # noqa: E402

from digitlens.outlets.history import History  # noqa: E402
from tests.edge.outlets.receivers import Receiver  # noqa: E402
from tests.edge.pages import write  # noqa: E402

END = 5.0
"""Time from SIGTERM to the end, at most, seconds."""
GAP = 1.0
"""Time between two frames, at most, seconds."""
TOKEN = "for-this-check-alone"  # noqa: S105


def camera(folder: Path) -> str:
    """Settings of pictures that change every three seconds, and of a journal."""
    with np.load(ROOT / "tests" / "data" / "digits.npz") as arrays:
        digits = arrays["x"], arrays["y"]
    (folder / "pictures").mkdir()
    for count, text in enumerate(("40716", "27", "958")):
        cv2.imwrite(str(folder / "pictures" / f"{count}.png"), write(text, digits))
    pictures = f'[camera]\nsource = "{folder}/pictures"\nrate = 5.0\nhold = 15\n'
    return f'{pictures}[journal]\nfile = "{folder}/journal.db"\n'


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def missing(folder: Path, announced: set[str]) -> int:
    """How many of these ids are not in the journal."""
    history = History(folder / "journal.db")
    kept = {entry.id for entry in history.each()}
    history.close()
    return len(announced - kept)


def sigterms(folder: Path, count: int, chance: random.Random) -> list[str]:
    """End it so many times; what is wrong."""
    broker, receiver, port = Silent(), Silent(), free_port()
    config = folder / "config.toml"
    base = camera(folder)
    (folder / "key").write_text("a key of this check")
    (folder / "key").chmod(0o600)
    hook = '[webhook]\nurl = "http://127.0.0.1:{}/"\n'
    config.write_text(
        f'{base}[mqtt]\nbroker = "127.0.0.1"\nport = {broker.port}\n[web]\nlisten = "127.0.0.1:{port}"\n'
        + hook.format(receiver.port)
    )
    announced: set[str] = set()
    taken, wrong = [], []
    for number in range(count):
        service = Process(folder, config)
        service.until(lambda service=service: len(service.entries) > 3, "entries")
        with socket.create_connection(("127.0.0.1", port), 30) as viewer:
            viewer.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")  # and takes nothing
            sleep(chance.uniform(0, 1.5))
            status, seconds, queued = service.end()
        announced |= {entry["id"] for entry in service.entries}
        taken.append((seconds - queued, seconds))
        if status:
            wrong.append(f"exit status {status}: {service.tail()}")
        print(
            f"    {number + 1} of {count}: {seconds:.2f} s, {seconds - queued:.2f} s of it with a processor",
            flush=True,
        )
    lost = missing(folder, announced)
    with Receiver() as good:
        config.write_text(base + hook.format(good.server_port))
        service = Process(folder, config)
        history = History(folder / "journal.db")
        stored = {entry.id for entry in history.each()}
        history.close()
        good.wait(lambda good: stored <= {json.loads(body)["id"] for _, _, body in good.posts}, 300)
        service.end()
    broker.close()
    receiver.close()
    nets, walls = [net for net, _ in taken], [wall for _, wall in taken]
    print(
        f"SIGTERM, {count} times: at most {max(nets):.2f} s, median {median(nets):.2f} s; with the time "
        f"without a processor {max(walls):.2f} and {median(walls):.2f} s; {len(announced)} entries, {lost} "
        f"not in the journal; all {len(stored)} in the journal arrived afterwards"
    )
    if max(nets) > END:
        wrong.append(f"an end took {max(nets):.1f} s")
    if lost:
        wrong.append(f"{lost} entries are lost")
    return wrong


def storm(folder: Path, count: int, chance: random.Random) -> list[str]:
    """Reload it so many times; what is wrong."""
    broker, base = Silent(), camera(folder)
    ports = free_port(), free_port()
    config, token = folder / "config.toml", folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    config.write_text(base)

    def right(number: int) -> str:
        text = f'name = "right-{number}"\n{base}'
        text += chance.choice(("", f'[mqtt]\nbroker = "127.0.0.1"\nport = {broker.port}\n'))
        text += chance.choice(
            ("", f'[web]\nlisten = "127.0.0.1:{chance.choice(ports)}"\ntoken_file = "{token}"\n')
        )
        text += chance.choice(("", "[reader]\nthreads = 2\n"))
        return text + chance.choice(("", "[region.all]\ncorners = [0, 0, 1, 1]\n"))

    def wrong_one() -> str:
        return chance.choice(
            (
                "not TOML", base + "[reader]\nthreads = 0\n", base + "[reader]\nmodel = \"none\"\n",
                base + '[web]\nlisten = "127.0.0.1:1x"\n', f'{base}[web]\nlisten = "127.0.0.1:{ports[0]}"\n'
                f'token_file = "{folder}/none"\n', "", base + "[nothing]\n",
            )[: 5 if chance.random() < 0.9 else 7]
        ) or "name = 1"  # fmt: skip

    service = Process(folder, config)
    service.until(lambda: service.entries, "entries")
    begin = monotonic()
    for number in range(count):
        config.write_text(right(number) if chance.random() < 0.5 else wrong_one())
        service.process.send_signal(signal.SIGHUP)
        sleep(chance.choice((0.0, 0.01, 0.05, 0.3, 1.0)))
    seconds = monotonic() - begin
    wrong = []

    def reload(text: str, said: str) -> None:
        config.write_text(text)
        service.process.send_signal(signal.SIGHUP)
        service.until(
            lambda: said in service.log.read_text().splitlines()[-1] or said in service.tail(), said
        )
        service.until(lambda: service.states[-1].startswith("READY=1"), "READY after a reload")

    def device() -> str:
        return str(service.entries[-1]["device"])

    reload(right(count), "the settings have been taken over")
    service.until(lambda: device() == f"right-{count}", "the last right settings")
    reload(wrong_one(), "the settings stay as they were")
    seen = len(service.entries)
    service.until(lambda: len(service.entries) > seen + 3, "entries after the storm")
    if device() != f"right-{count}":
        wrong.append(f"{device()} is in force, and not right-{count}")
    frames = list(service.frames)
    status, *_ = service.end()
    gaps = [late[0] - early[0] for early, late in pairwise(frames)]
    net = [late[0] - early[0] - (late[1] - early[1]) for early, late in pairwise(frames)]
    lost = missing(folder, {entry["id"] for entry in service.entries})
    answered = sum(state.startswith("RELOADING") for state in service.states)
    log = service.log.read_text()
    print(
        f"{count} reloads in {seconds:.0f} s: {answered} carried out ({log.count('taken over')} taken over, "
        f"{log.count('stay as they were')} refused), the others while one was prepared; the longest time "
        f"without a frame {max(gaps):.2f} s, {max(net):.2f} s of it with a processor; {len(service.entries)} "
        f"entries announced, {lost} not in the journal"
    )
    if status:
        wrong.append(f"exit status {status}: {service.tail()}")
    if max(net) > GAP:
        wrong.append(f"{max(net):.2f} s without a frame")
    if lost:
        wrong.append(f"{lost} entries are lost")
    broker.close()
    return wrong


def main() -> int:
    """Run both parts; 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="deploy/checks/service/run", description=__doc__.splitlines()[0])
    parser.add_argument("--sigterms", type=int, default=50)
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"service check: seed {options.seed}", flush=True)
    wrong = []
    for part, count in ((storm, options.reloads), (sigterms, options.sigterms)):
        if count:
            with tempfile.TemporaryDirectory(prefix="digitlens-service-") as folder:
                wrong += part(Path(folder), count, random.Random(options.seed))
    for line in wrong:
        print(f"service check: {line}", file=sys.stderr)
    print("passed" if not wrong else "FAILED")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
