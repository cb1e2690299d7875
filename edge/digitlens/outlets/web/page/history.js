// The history, newest first.

import { copy, say } from "./copy.js";
import { percent } from "./percent.js";

const PAGE = 50;
const KINDS = { appeared: "appeared", changed: "changed", gone: "gone", sheet: "sheet" };
const $ = (id) => document.getElementById(id);
const body = $("history").tBodies[0];
let entries = [];
let next = null;
let running = null;
let again = false;

function moment(seconds) {
  if (seconds < 1e9) return `${seconds.toFixed(1)} s`; // a replay counts from its start
  const time = new Date(seconds * 1000);
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return time.toDateString() === new Date().toDateString() ? clock : `${time.toLocaleDateString()} ${clock}`;
}

function cell(row, text, name) {
  const one = row.insertCell();
  one.textContent = text;
  if (name) one.className = name;
  return one;
}

function more(cell_, text) {
  const line = document.createElement("span");
  line.className = "more";
  line.textContent = text;
  cell_.append(line);
}

function row(entry) {
  const line = document.createElement("tr");
  const time = document.createElement("time");
  if (entry.time >= 1e9) time.dateTime = new Date(entry.time * 1000).toISOString();
  time.textContent = moment(entry.time);
  line.insertCell().append(time);
  const text = cell(line, entry.text, "text");
  if (entry.region) {
    const value = entry.value === undefined || entry.value === null ? "" : ` = ${entry.value}`;
    more(text, `${entry.region}${value}`);
  }
  if (entry.sheet) {
    const written = Object.entries(entry.sheet.fields).filter(([, field]) => field.state !== "empty");
    more(text, written.map(([name, field]) => `${name} ${field.value ?? "-"}`).join(", "));
  }
  const event = cell(line, KINDS[entry.kind] ?? entry.kind, `what ${KINDS[entry.kind] ?? ""}`);
  if (entry.before) event.textContent = `changed from ${entry.before}`;
  if (entry.reason) more(event, entry.reason);
  cell(line, percent(entry.confidence), "right");
  return line;
}

function show(kept) {
  body.replaceChildren(...entries.map(row));
  $("history").hidden = !entries.length;
  $("empty").hidden = entries.length > 0;
  $("older").hidden = next === null;
  $("copy-history").disabled = !entries.length;
  $("kept").textContent = kept ? "" : "Without a journal the last 500 since the start are kept.";
}

async function fetched(query) {
  const answer = await fetch(`/api/history?limit=${PAGE}${query}`, { cache: "no-store" });
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer.json();
}

async function load() {
  const found = await fetched("");
  const place = found.entries.findIndex((entry) => entry.id === entries[0]?.id);
  const fresh = place < 0 ? found.entries : found.entries.slice(0, place);
  if (place < 0) next = found.next; // none is known: start anew
  if (place > 0) say(fresh.slice(0, 3).map((entry) => `${entry.text} ${entry.kind}`).join(", "));
  entries = place < 0 ? found.entries : [...fresh, ...entries];
  if (fresh.length || !entries.length) show(found.journal);
}

// Load new entries; called while loading, it loads once more afterwards.
export function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = load().catch((error) => { $("kept").textContent = `The history is not available: ${error.message}`; })
    .finally(() => { running = null; if (again) { again = false; refresh(); } });
  return running;
}

$("older").addEventListener("click", async () => {
  try {
    const found = await fetched(`&before=${encodeURIComponent(next)}`);
    entries.push(...found.entries);
    next = found.next;
    show(found.journal);
  } catch (error) {
    $("kept").textContent = `The history is not available: ${error.message}`;
  }
});

$("copy-history").addEventListener("click", (event) => {
  const lines = entries.map((entry) => [moment(entry.time), entry.text, entry.kind, entry.before ?? ""].join("\t"));
  copy(["time\tnumber\twhat\tbefore", ...lines].join("\n"), event.currentTarget);
});
