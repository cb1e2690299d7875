// Where labels stand, by the rules of digitlens.images.label_layout: beside their numbers, on no ink and no other
// label, smaller in crowds, with a leader where they are far.

const CROWDED = [1, 0.8, 0.65]; // sizes that are tried, as fractions
const NEAR = [0, 0.4], FAR = [0.9, 1.6, 2.5, 4]; // distances in label heights; the far ones need a leader
const FREE = 0.08, NEAR_ENOUGH = 0.4; // costs, in parts of a label's area
const AWAY = 0.12, SMALLER = 0.05, TOUCHING = 0.06, STAY = 0.2;
const SMALLEST = 10; // px, height of letters
const INK_WIDTH = 320, REACH = 12, CONTRAST = 0.12; // px, px, part of the paper's brightness

const intersection = (a, b) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

const distance = (a, b) => Math.hypot(
  Math.max(0, b.x - a.x - a.width, a.x - b.x - b.width), Math.max(0, b.y - a.y - a.height, a.y - b.y - b.height));

const small = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// The ink of a picture: a function that gives the part of a rectangle that is ink, in pixels of `room`.
export function inkOf(picture, room) {
  if (!picture?.width || !room.width) return () => 0;
  const width = Math.min(INK_WIDTH, picture.width), height = Math.max(1, Math.round(width * picture.height / picture.width));
  small.canvas.width = width;
  small.canvas.height = height;
  small.drawImage(picture, 0, 0, width, height);
  const { data } = small.getImageData(0, 0, width, height);
  const across = Math.ceil(width / REACH), down = Math.ceil(height / REACH);
  const paper = new Uint8Array(across * down); // the brightest pixel of each square
  for (let y = 0, at = 1; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const square = Math.floor(y / REACH) * across + Math.floor(x / REACH);
      if (data[at] > paper[square]) paper[square] = data[at];
    }
  }
  const sums = new Uint32Array((width + 1) * (height + 1));
  for (let y = 0, at = 1; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++, at += 4) {
      const square = Math.floor(y / REACH) * across + Math.floor(x / REACH);
      row += data[at] < paper[square] * (1 - CONTRAST);
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  const column = (x) => Math.min(width, Math.max(0, Math.round(x * width / room.width)));
  const line = (y) => Math.min(height, Math.max(0, Math.round(y * height / room.height))) * (width + 1);
  return (box) => {
    const left = column(box.x), right = column(box.x + box.width), top = line(box.y), bottom = line(box.y + box.height);
    const area = (right - left) * (bottom - top) / (width + 1);
    return area ? (sums[bottom + right] - sums[top + right] - sums[bottom + left] + sums[top + left]) / area : 0;
  };
}

// Boxes for a label of this size: the one before, then on all sides, from near to far, all in the room.
function candidates(frame, label, room, rings, before) {
  const at = before ? [[frame.x + before.x, frame.y + before.y]] : [];
  for (const ring of rings) {
    const gap = 2 + ring * label.height;
    const above = frame.y - label.height - gap, below = frame.y + frame.height + gap;
    const left = frame.x - label.width - gap, right = frame.x + frame.width + gap;
    const flush = frame.x + frame.width - label.width, middle = frame.x + (frame.width - label.width) / 2;
    const level = frame.y + (frame.height - label.height) / 2;
    for (const y of [above, below]) at.push([frame.x, y], [flush, y], [middle, y]);
    for (const x of [right, left]) at.push([x, level], [x, frame.y], [x, frame.y + frame.height - label.height], [x, above], [x, below]);
  }
  return at.map(([x, y]) => ({
    x: Math.min(Math.max(0, x), Math.max(0, room.width - label.width)),
    y: Math.min(Math.max(0, y), Math.max(0, room.height - label.height)), ...label,
  }));
}

function cost(spot, own, frames, taken, ink) {
  const area = spot.width * spot.height, inked = ink(spot), edge = spot.height / 4;
  const around = { x: spot.x - edge, y: spot.y - edge, width: spot.width + 2 * edge, height: spot.height + 2 * edge };
  let hidden = 0, beside = 0;
  for (const other of frames) {
    hidden += intersection(spot, other) * (other === own ? 3 : 1);
    if (other !== own && intersection(around, other)) beside++;
  }
  for (const other of taken) hidden += 4 * intersection(spot, other);
  return (inked > 0.2 ? 2 : 0.4) * inked + 2 * hidden / area + TOUCHING * beside + AWAY * distance(spot, own) / spot.height;
}

// The place of a label: its box, the height of its letters, and the two ends of its leader, if it needs one.
// `measure(text, letters)` gives a width; `before` is where the label was, relative to its frame.
export function place(text, own, letters, { room, frames, taken, ink, before, measure }) {
  let best = null;
  for (const [rings, enough] of [[NEAR, FREE], [FAR, NEAR_ENOUGH]]) {
    for (const [step, share] of CROWDED.entries()) {
      const tall = Math.max(SMALLEST, letters * share);
      const label = { width: measure(text, tall) + tall * 0.7, height: tall * 1.4 };
      candidates(own, label, room, rings, before).forEach((spot, index) => {
        const total = cost(spot, own, frames, taken, ink) + SMALLER * step - (before && !index ? STAY : 0);
        if (!best || total < best.cost) best = { cost: total, spot, letters: tall };
      });
      if (best.cost <= enough + SMALLER * step || tall <= SMALLEST) break;
    }
    if (best.cost <= NEAR_ENOUGH) break;
  }
  const { spot } = best;
  const toward = (box, other) => [
    Math.min(Math.max(other.x + other.width / 2, box.x), box.x + box.width),
    Math.min(Math.max(other.y + other.height / 2, box.y), box.y + box.height),
  ];
  const far = distance(spot, own) > spot.height / 2;
  return { ...best, leader: far ? [...toward(spot, own), ...toward(own, spot)] : null };
}
