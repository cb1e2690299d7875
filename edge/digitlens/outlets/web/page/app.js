// The page: a picture with its boxes, the numbers of now, and in words how it stands.

import { draw } from "./boxes.js";
import { Connection } from "./connection.js";
import { copy } from "./copy.js";
import { refresh } from "./history.js";

const $ = (id) => document.getElementById(id);
const picture = $("picture"), boxes = $("boxes"), sheet = $("sheet"), screen_ = $("screen");
const pen = picture.getContext("2d", { alpha: false });
const rows = $("numbers").tBodies[0];
let head = null; // of the picture that is shown
let state = null;
let frozen = false;
let connected = false;
let announced = -1;
let shown = ""; // the numbers in the table, as text
let ticks = [];

const connection = new Connection({
  async picture(newHead, jpeg) {
    let image = null;
    try {
      image = await createImageBitmap(jpeg);
    } catch { /* a broken picture is left out */ }
    if (image && !frozen) {
      if (picture.width !== image.width || picture.height !== image.height) {
        picture.width = image.width;
        picture.height = image.height;
        sheet.style.setProperty("--ratio", image.width / image.height);
      }
      pen.drawImage(image, 0, 0); // in the same turn as the boxes, so that they belong to this very picture
      head = newHead;
      mark();
      list();
      ticks = [...ticks.filter((time) => time > performance.now() - 3000), performance.now()];
      figures();
    }
    image?.close();
    next();
  },
  state(newState) {
    if (state && state.version !== newState.version) location.reload(); // the server was renewed
    state = newState;
    $("camera").textContent = state.camera;
    $("camera").title = state.camera;
    $("version").textContent = `digitlens ${state.version}`;
    $("sign-out").hidden = !state.guarded;
    if (state.announced !== announced) {
      announced = state.announced;
      refresh();
    }
    tell();
  },
  up() {
    connected = true;
    announced = -1;
    tell();
    next();
  },
  down(seconds) {
    connected = false;
    tell(seconds);
  },
});

function next() {
  if (!frozen && !document.hidden) connection.next();
}
document.addEventListener("visibilitychange", next);

function mark() {
  boxes.dataset.count = head?.count ?? "";
  const numbers = head && $("marks").getAttribute("aria-pressed") === "true" ? head.numbers : [];
  draw(boxes, numbers, head?.size ?? [1, 1], picture.clientWidth, picture.clientHeight);
}
new ResizeObserver(mark).observe(picture);

function list() {
  const steady = head.numbers.filter((number) => number.steady);
  const rest = head.numbers.filter((number) => !number.steady);
  const text = JSON.stringify([steady.map(({ id, text, confidence }) => [id, text, Math.floor(confidence * 100)]), rest.map((number) => number.text)]);
  if (text === shown) return; // a table that is left alone can be read, selected and clicked
  shown = text;
  const known = new Map([...rows.rows].map((row) => [row.dataset.id, row]));
  rows.replaceChildren(...steady.map((number) => line(known.get(String(number.id)), number)));
  $("numbers").hidden = !steady.length;
  $("none").hidden = steady.length > 0;
  $("copy-numbers").disabled = !steady.length;
  $("pending").hidden = !rest.length;
  $("pending").textContent = rest.length ? `Still being read: ${rest.map((number) => `${number.text} ?`).join(", ")}` : "";
  const said = steady.map((number) => number.text).join(", ") || "none is steady yet";
  picture.setAttribute("aria-label", `Live picture; numbers: ${said}`);
}

function line(row, number) {
  if (!row) {
    row = document.createElement("tr");
    row.dataset.id = number.id;
    row.insertCell();
    const sure = document.createElement("div"), meter = document.createElement("meter");
    sure.className = "sure";
    meter.low = 0.7;
    meter.high = 0.9;
    meter.optimum = 1;
    sure.append(meter, document.createElement("span"));
    row.insertCell().append(sure);
    const button = document.createElement("button");
    button.className = "icon";
    button.addEventListener("click", () => copy(row.cells[0].textContent, button));
    row.insertCell().append(button);
    row.addEventListener("pointerenter", () => heat(row.dataset.id, true));
    row.addEventListener("pointerleave", () => heat(row.dataset.id, false));
  }
  row.cells[0].textContent = number.text;
  const percent = `${Math.floor(number.confidence * 100)} %`; // 99.9 is not all
  row.querySelector("meter").value = number.confidence;
  row.querySelector("meter").setAttribute("aria-label", `confidence ${percent}`);
  row.querySelector("span").textContent = percent;
  row.querySelector("button").setAttribute("aria-label", `Copy ${number.text}`);
  return row;
}

function heat(id, on) {
  boxes.querySelector(`[data-id="${id}"]`)?.classList.toggle("hot", on);
}

function figures() {
  const span = ticks.length > 1 ? (ticks.at(-1) - ticks[0]) / 1000 : 0;
  const rate = span ? `${((ticks.length - 1) / span).toFixed(0)} pictures/s here` : "";
  const camera = state?.rate ? `camera ${state.rate.toFixed(0)}/s` : "";
  $("figures").textContent = [rate, camera, head ? `${head.age.toFixed(2)} s old` : ""].filter(Boolean).join(" · ");
}

// Say how it stands; `seconds` until the next try where the connection is lost.
function tell(seconds) {
  const trouble = connected ? state?.trouble ?? "" : "";
  const [kind, word] = !connected ? (state ? ["lost", "connection lost"] : ["wait", "connecting"])
    : trouble ? ["lost", "camera lost"]
    : frozen ? ["frozen", "frozen"]
    : ["live", "live"];
  const status = $("status");
  if (status.dataset.state !== kind || status.textContent !== word) {
    status.dataset.state = kind;
    status.textContent = word;
    document.title = kind === "live" ? "digitlens" : `${word}: digitlens`;
  }
  const bad = kind === "lost" && !frozen; // what was frozen is old on purpose
  for (const part of [screen_, $("numbers")]) part.classList.toggle("stale", bad);
  $("notice").hidden = !bad;
  $("retry").hidden = connected;
  if (!bad) return;
  set($("figures"), "");
  set($("notice-title"), connected ? "The camera is lost" : "The connection is lost");
  set($("notice-why"), connected ? `${trouble}. It is opened again by itself.`
    : `It is tried again by itself${seconds ? `, next in ${seconds} s` : ""}. What you see is old.`);
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

$("freeze").addEventListener("click", (event) => {
  frozen = !frozen;
  event.currentTarget.setAttribute("aria-pressed", frozen);
  if (!frozen) next();
  tell();
});
$("marks").addEventListener("click", (event) => {
  const pressed = event.currentTarget.getAttribute("aria-pressed") === "true";
  event.currentTarget.setAttribute("aria-pressed", !pressed);
  mark();
});
$("full").hidden = !document.fullscreenEnabled;
$("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else screen_.requestFullscreen();
});
$("retry").addEventListener("click", () => connection.retry());
$("copy-numbers").addEventListener("click", (event) => {
  copy([...rows.rows].map((row) => row.cells[0].textContent).join("\n"), event.currentTarget);
});
