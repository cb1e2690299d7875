// The WebSocket to the server: receives pictures and states, sends "next", and reconnects.

const PAUSES = [0.5, 1, 2, 3, 5];
const TIMEOUT = 6000; // milliseconds without a message; the server sends a state every second
const utf8 = new TextDecoder();

export class Connection {
  // `on` has picture(head, jpeg), state(state), up(), down(seconds until the next attempt).
  constructor(on) {
    this.on = on;
    this.attempts = 0;
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
    socket.onopen = () => { opened = true; this.attempts = 0; this.restartWatchdog(); this.on.up(); };
    socket.onmessage = (event) => { this.restartWatchdog(); this.take(event.data); };
    socket.onclose = () => { if (socket === this.socket) this.lose(opened); };
    this.socket = socket;
    this.restartWatchdog();
  }

  // Ask for the next picture.
  next() {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("next");
  }

  retry() {
    if (!this.socket) this.open();
  }

  restartWatchdog() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => { if (this.socket) { const dead = this.socket; this.lose(true); dead.close(); } }, TIMEOUT);
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
    if (!opened) this.checkAccess();
    const pause = PAUSES[Math.min(this.attempts, PAUSES.length - 1)];
    this.attempts += 1;
    this.timer = setTimeout(() => this.open(), pause * 1000);
    this.on.down(pause);
  }

  // A browser does not say why a WebSocket was refused; if it lacks the token, the sign-in page asks for it.
  async checkAccess() {
    try {
      if ((await fetch("/healthz", { cache: "no-store" })).status === 401) location.reload();
    } catch { /* the server is down */ }
  }
}
