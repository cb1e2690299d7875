// The line to the server: pictures and the camera's state come, "next" goes; lost, it is made again.

const PAUSES = [0.5, 1, 2, 3, 5];
const SILENCE = 6000; // milliseconds; the server says something every second
const utf8 = new TextDecoder();

export class Connection {
  // `on` has picture(head, jpeg), state(state), up(), down(seconds until the next try).
  constructor(on) {
    this.on = on;
    this.tries = 0;
    this.socket = null;
    this.timer = 0;
    this.watch = 0;
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.retry(); });
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.onopen = () => { opened = true; this.tries = 0; this.heard(); this.on.up(); };
    socket.onmessage = (event) => { this.heard(); this.take(event.data); };
    socket.onclose = () => { if (socket === this.socket) this.lose(opened); };
    this.socket = socket;
    this.heard();
  }

  // Ask for the next picture.
  next() {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("next");
  }

  retry() {
    if (!this.socket) this.open();
  }

  heard() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => { if (this.socket) { const dead = this.socket; this.lose(true); dead.close(); } }, SILENCE);
  }

  take(data) {
    if (typeof data === "string") {
      this.on.state(JSON.parse(data).state);
      return;
    }
    const length = new DataView(data).getUint32(0);
    const head = JSON.parse(utf8.decode(new Uint8Array(data, 4, length)));
    this.on.picture(head, new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
  }

  lose(opened) {
    clearTimeout(this.watch);
    this.socket = null;
    if (!opened) this.ask();
    const pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.open(), pause * 1000);
    this.on.down(pause);
  }

  // A browser does not say why a line was refused; for want of the token the server's own page asks for it.
  async ask() {
    try {
      if ((await fetch("/healthz", { cache: "no-store" })).status === 401) location.reload();
    } catch { /* nobody is there */ }
  }
}
