// Draws numbers over the picture: steady ones in a solid frame with a filled label, others in a dotted one.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4; // pixels between the digits and their frame
const measure = document.createElement("canvas").getContext("2d");

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const intersection = (a, b) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

// Above, below, right, left: the first place inside the picture that covers the least. None where it would cover
// other digits: the table lists all numbers.
function place(frame, label, room, frames, taken) {
  const at = [
    [frame.x, frame.y - label.height], [frame.x, frame.y + frame.height],
    [frame.x + frame.width, frame.y], [frame.x - label.width, frame.y],
  ];
  let best = null;
  for (const [x, y] of at) {
    const spot = {
      x: Math.min(Math.max(0, x), Math.max(0, room.width - label.width)),
      y: Math.min(Math.max(0, y), Math.max(0, room.height - label.height)), ...label,
    };
    let cost = 0;
    for (const other of frames) cost += intersection(spot, other);
    for (const other of taken) cost += 4 * intersection(spot, other);
    if (cost < label.width * label.height * 0.1) cost = 0;
    if (!best || cost < best.cost) best = { cost, spot };
  }
  return best.cost > label.width * label.height * 0.3 ? null : best.spot;
}

// Draw the numbers of a picture of `size` into `svg`, which is shown `width` x `height` pixels large.
export function draw(svg, numbers, size, width, height) {
  const across = width / size[0], down = height / size[1];
  const scaled = ([x, y, w, h]) => ({ x: x * across, y: y * down, width: w * across, height: h * down });
  const frames = numbers.map((number) => {
    const box = scaled(number.box);
    return { x: box.x - MARGIN, y: box.y - MARGIN, width: box.width + 2 * MARGIN, height: box.height + 2 * MARGIN };
  });
  const tall = numbers.map((number) => number.box[3] * down).sort((a, b) => a - b)[numbers.length >> 1] || 0;
  const letters = Math.min(26, Math.max(width < 500 ? 11 : 13, tall * 0.42));
  measure.font = `700 ${letters}px ${getComputedStyle(svg).fontFamily}`;
  const taken = [], labels = [], drawn = [];
  const order = numbers.map((_, index) => index).sort((a, b) => numbers[b].steady - numbers[a].steady);
  for (const index of order) {
    const number = numbers[index], frame = frames[index], kind = number.steady ? "steady" : "reading";
    const group = make("g", { "data-id": number.id, class: kind === "steady" ? "number" : "number unsteady" });
    for (const digit of number.digits) group.append(make("rect", { class: "digit", ...scaled(digit.box) }));
    const dots = number.steady ? {} : { rx: 0 };
    const look = number.steady ? "" : " dots";
    group.append(make("rect", { class: `rim${look}`, rx: 3, ...frame, ...dots }));
    group.append(make("rect", { class: `${kind}${look}`, rx: 3, ...frame, ...dots }));
    const text = number.steady ? number.text : `${number.text} ?`;
    const label = { width: measure.measureText(text).width + letters * 0.7, height: letters * 1.4 };
    const spot = place(frame, label, { width, height }, frames, taken);
    drawn.push(group);
    if (!spot) continue;
    taken.push(spot);
    labels.push(
      make("rect", { class: `tag ${kind}`, rx: 3, ...spot }),
      make("text", { class: kind, x: spot.x + letters * 0.35, y: spot.y + letters * 1.07, "font-size": letters }, text),
    );
  }
  // Between two drawings the boxes scale with the picture.
  svg.setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
  svg.replaceChildren(...drawn, ...labels);
}
