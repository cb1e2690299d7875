// The page: the live picture with its boxes, the current numbers, and the status.

import { draw } from "./boxes.js";
import { Connection } from "./connection.js";
import { copy } from "./copy.js";
import { refresh } from "./history.js";
import { percent } from "./percent.js";

const $ = (id) => document.getElementById(id);
const picture = $("picture"), boxes = $("boxes"), sheet = $("sheet"), screen_ = $("screen");
const pen = picture.getContext("2d", { alpha: false });
const rows = $("numbers").tBodies[0];
let head = null; // of the displayed picture
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
    } catch { /* skip a broken picture */ }
    if (image && !frozen) {
      if (picture.width !== image.width || picture.height !== image.height) {
        picture.width = image.width;
        picture.height = image.height;
        sheet.style.setProperty("--ratio", image.width / image.height);
      }
      pen.drawImage(image, 0, 0); // in the same task as the boxes, so that they belong to this picture
      head = newHead;
      drawBoxes();
      list();
      ticks = [...ticks.filter((time) => time > performance.now() - 3000), performance.now()];
      figures();
    }
    image?.close();
    next();
  },
  state(newState) {
    if (state && state.version !== newState.version) location.reload(); // the server was updated
    state = newState;
    $("camera").textContent = state.camera;
    $("camera").title = state.camera;
    $("version").textContent = `digitlens ${state.version}`;
    $("sign-out").hidden = !state.guarded;
    if (state.announced !== announced) {
      announced = state.announced;
      refresh();
    }
    showStatus();
  },
  up() {
    connected = true;
    announced = -1;
    showStatus();
    next();
  },
  down(seconds) {
    connected = false;
    showStatus(seconds);
  },
});

function next() {
  if (!frozen && !document.hidden) connection.next();
}
document.addEventListener("visibilitychange", next);

function drawBoxes() {
  boxes.dataset.count = head?.count ?? "";
  const numbers = head && $("marks").getAttribute("aria-pressed") === "true" ? head.numbers : [];
  draw(boxes, numbers, head?.size ?? [1, 1], picture.clientWidth, picture.clientHeight, picture);
}
new ResizeObserver(drawBoxes).observe(picture);

function list() {
  const steady = head.numbers.filter((number) => number.steady);
  const rest = head.numbers.filter((number) => !number.steady);
  const text = JSON.stringify([steady.map(({ id, text, confidence }) => [id, text, percent(confidence)]), rest.map((number) => number.text)]);
  if (text === shown) return; // an unchanged table can be selected and clicked
  shown = text;
  const known = new Map([...rows.rows].map((row) => [row.dataset.id, row]));
  rows.replaceChildren(...steady.map((number) => line(known.get(String(number.id)), number)));
  $("numbers").hidden = !steady.length;
  $("none").hidden = steady.length > 0;
  $("copy-numbers").disabled = !steady.length;
  $("pending").hidden = !rest.length;
  $("pending").textContent = rest.length ? `Still being read: ${rest.map((number) => `${number.text} ?`).join(", ")}` : "";
  const texts = steady.map((number) => number.text).join(", ") || "none is steady yet";
  picture.setAttribute("aria-label", `Live picture; numbers: ${texts}`);
}

function line(row, number) {
  if (!row) {
    row = document.createElement("tr");
    row.dataset.id = number.id;
    row.insertCell();
    const confidence = document.createElement("div"), meter = document.createElement("meter");
    confidence.className = "confidence";
    meter.low = 0.7;
    meter.high = 0.9;
    meter.optimum = 1;
    confidence.append(meter, document.createElement("span"));
    row.insertCell().append(confidence);
    const button = document.createElement("button");
    button.className = "icon";
    button.addEventListener("click", () => copy(row.cells[0].textContent, button));
    row.insertCell().append(button);
    row.addEventListener("pointerenter", () => highlight(row.dataset.id, true));
    row.addEventListener("pointerleave", () => highlight(row.dataset.id, false));
  }
  row.cells[0].textContent = number.text;
  const confidence = percent(number.confidence);
  row.querySelector("meter").value = number.confidence;
  row.querySelector("meter").setAttribute("aria-label", `confidence ${confidence}`);
  row.querySelector("span").textContent = confidence;
  row.querySelector("button").setAttribute("aria-label", `Copy ${number.text}`);
  return row;
}

function highlight(id, on) {
  boxes.querySelector(`[data-id="${id}"]`)?.classList.toggle("highlighted", on);
}

function figures() {
  const span = ticks.length > 1 ? (ticks.at(-1) - ticks[0]) / 1000 : 0;
  const rate = span ? `${((ticks.length - 1) / span).toFixed(0)} pictures/s here` : "";
  const camera = state?.rate ? `camera ${state.rate.toFixed(0)}/s` : "";
  $("figures").textContent = [rate, camera, head ? `${head.age.toFixed(2)} s old` : ""].filter(Boolean).join(" · ");
}

// Show the status; `seconds` until the next attempt where the connection is lost.
function showStatus(seconds) {
  const outage = connected ? state?.trouble ?? "" : "";
  const [kind, word] = !connected ? (state ? ["lost", "connection lost"] : ["wait", "connecting"])
    : outage ? ["lost", "camera lost"]
    : frozen ? ["frozen", "frozen"]
    : ["live", "live"];
  const status = $("status");
  if (status.dataset.state !== kind || status.textContent !== word) {
    status.dataset.state = kind;
    status.textContent = word;
    document.title = kind === "live" ? "digitlens" : `${word}: digitlens`;
  }
  const bad = kind === "lost" && !frozen; // a frozen picture is old on purpose
  for (const part of [screen_, $("numbers")]) part.classList.toggle("stale", bad);
  $("notice").hidden = !bad;
  $("retry").hidden = connected;
  if (!bad) return;
  set($("figures"), "");
  set($("notice-title"), connected ? "The camera is lost" : "The connection is lost");
  set($("notice-why"), connected ? `${outage}. It is opened again by itself.`
    : `It is tried again by itself${seconds ? `, next in ${seconds} s` : ""}. What you see is old.`);
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

$("freeze").addEventListener("click", (event) => {
  frozen = !frozen;
  event.currentTarget.setAttribute("aria-pressed", frozen);
  if (!frozen) next();
  showStatus();
});
$("marks").addEventListener("click", (event) => {
  const pressed = event.currentTarget.getAttribute("aria-pressed") === "true";
  event.currentTarget.setAttribute("aria-pressed", !pressed);
  drawBoxes();
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
