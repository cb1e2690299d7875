// Draws numbers over the picture: sure ones in a solid frame with a filled label, those in doubt in a dashed one with
// their confidence, those still being read in a dotted one.

import { inkOf, place } from "./labels.js";
import { percent } from "./percent.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4; // pixels between the digits and their frame
const SURE = 0.9; // confidence from which a digit or a number is shown as sure
const measure = document.createElement("canvas").getContext("2d");

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const places = new Map(); // a number's id -> its label, and where that was, relative to its frame

const look = (number) => !number.steady ? "reading"
  : Math.min(number.confidence, ...number.digits.map((digit) => digit.confidence)) < SURE ? "doubtful" : "steady";

// Draw the numbers of a picture of `size` into `svg`, which is shown `width` x `height` pixels large; labels keep clear
// of the ink of `picture`, a canvas.
export function draw(svg, numbers, size, width, height, picture) {
  const across = width / size[0], down = height / size[1];
  const scaled = ([x, y, w, h]) => ({ x: x * across, y: y * down, width: w * across, height: h * down });
  const frames = numbers.map((number) => {
    const box = scaled(number.box);
    return { x: box.x - MARGIN, y: box.y - MARGIN, width: box.width + 2 * MARGIN, height: box.height + 2 * MARGIN };
  });
  const tall = numbers.map((number) => number.box[3] * down).sort((a, b) => a - b)[numbers.length >> 1] || 0;
  const letters = Math.min(26, Math.max(width < 500 ? 11 : 13, tall * 0.42));
  const family = getComputedStyle(svg).fontFamily;
  const room = { width, height }, ink = numbers.length ? inkOf(picture, room) : null;
  const widthOf = (text, size_) => {
    measure.font = `700 ${size_}px ${family}`;
    return measure.measureText(text).width;
  };
  const taken = [], labels = [], drawn = [];
  const order = numbers.map((_, index) => index).sort((a, b) => numbers[b].steady - numbers[a].steady);
  for (const index of order) {
    const number = numbers[index], frame = frames[index], kind = look(number);
    const form = { steady: "", doubtful: " dashes", reading: " dots" }[kind];
    const group = make("g", { "data-id": number.id, class: `number${kind === "reading" ? " unsteady" : ""}` });
    for (const digit of number.digits) {
      const box = scaled(digit.box);
      group.append(make("rect", { class: "digit", ...box }));
      if (kind === "doubtful" && digit.confidence < SURE) {
        const y = frame.y + frame.height + 2;
        group.append(make("line", { class: "doubt", x1: box.x, x2: box.x + box.width, y1: y, y2: y }));
      }
    }
    const corners = { rx: form ? 0 : 3, ...frame };
    group.append(make("rect", { class: `rim${form}`, ...corners }), make("rect", { class: `${kind}${form}`, ...corners }));
    drawn.push(group);
    const text = { steady: number.text, doubtful: `${number.text}? ${percent(number.confidence)}`, reading: `${number.text} ?` }[kind];
    const before = places.get(number.id)?.text === text ? places.get(number.id) : null;
    const found = place(text, frame, letters, { room, frames, taken, ink, before, measure: widthOf });
    places.set(number.id, { text, x: found.spot.x - frame.x, y: found.spot.y - frame.y });
    taken.push(found.spot);
    if (found.leader) {
      const [x1, y1, x2, y2] = found.leader;
      group.append(make("line", { class: "leader", x1, y1, x2, y2 }));
    }
    const at = { x: found.spot.x + found.letters * 0.35, y: found.spot.y + found.letters * 1.07, "font-size": found.letters };
    labels.push(make("rect", { class: `tag ${kind}`, rx: 3, ...found.spot }), make("text", { class: kind, ...at }, text));
  }
  for (const id of places.keys()) if (!numbers.some((number) => number.id === id)) places.delete(id);
  // Between two drawings the boxes scale with the picture.
  svg.setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
  svg.replaceChildren(...drawn, ...labels);
}
