// A piece as SVG elements. Geometry as `shapes.py`; what shares a stretch with a plain line parts from it, as in `page.py`.
"use strict";

const BEND = 5, TIP = 7, HALF = 3.2, NOTCH = 1.6;
const CORNERS = { rect: 3, round: 8, bar: 1, frame: 8 };
const OVER = ["projection", "identity", "arc", "flow"];

function element(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Elements of the figure before, by what they look like: those that only move are not made again.
let pooled = new Map(), used = new Map();

function take(look, x, y, make) {
  const made = pooled.get(look)?.pop() ?? make(), at = `translate(${digits(x)} ${digits(y)})`;
  if (made.getAttribute("transform") !== at) made.setAttribute("transform", at);
  if (used.has(look)) used.get(look).push(made);
  else used.set(look, [made]);
  return made;
}

// Puts the elements into `world` in their order; what is there already stays.
function fill(world, wanted) {
  const kept = new Set(wanted);
  for (const one of [...world.children]) if (!kept.has(one)) one.remove();
  let at = world.firstChild;
  for (const one of wanted) {
    if (one === at) at = at.nextSibling;
    else world.insertBefore(one, at);
  }
  [pooled, used] = [used, new Map()];
}

const digits = (value) => String(Math.round(value * 100) / 100);
const point = ([x, y]) => `${digits(x)},${digits(y)}`;

function textOf({ x, y, text, size, role, anchor, bold }) {
  const look = { class: `text-${role}`, x: digits(x), y: digits(y), "font-size": size };
  return element("text", { ...look, "text-anchor": anchor === "start" ? null : anchor, "font-weight": bold ? "bold" : null }, text);
}

// -- boxes -------------------------------------------------------------------------------------------

function outline({ x, y, width, height, mark, role }, kind) {
  if (mark !== "plus" && mark !== "times") {
    const rx = Math.min(CORNERS[mark] ?? Infinity, Math.min(width, height) / 2);
    return [element("rect", { class: kind, x: digits(x), y: digits(y), width: digits(width), height: digits(height), rx })];
  }
  const [cx, cy, r] = [x + width / 2, y + height / 2, Math.min(width, height) / 2];
  const arm = r * (mark === "plus" ? 0.56 : 0.42);
  const ways = mark === "plus" ? [[arm, 0], [0, arm]] : [[arm, arm], [arm, -arm]];
  const course = ways.map(([dx, dy]) => `M${point([cx - dx, cy - dy])}L${point([cx + dx, cy + dy])}`).join("");
  return [element("circle", { class: kind, cx, cy, r }), element("path", { class: `sign-${role}`, d: course })];
}

function badge({ cell, width, mark }) {
  if (!cell.badge) return [];
  const left = width - cell.pill - 4, top = mark === "frame" ? 3 : 4;
  const text = { x: left + cell.pill / 2, y: top + 10.3, text: cell.badge, size: 9, role: "badge", anchor: "middle", bold: true };
  return [element("rect", { class: "box-badge", x: digits(left), y: digits(top), width: digits(cell.pill), height: 14, rx: 7 }), textOf(text)];
}

// A box with its texts, or a frame with its head; what is inside of a frame follows it, as in the order of reading.
function group(one, depth, heat) {
  const { cell, x, y, width, height, mark, role } = one, open = mark === "frame";
  const kind = open ? `box-frame${depth % 2}` : `box-${role} ${heat}`;
  const words = open ? one.texts.slice(0, 1) : one.texts;
  return take(`cell ${cell.id} ${kind} ${digits(width)} ${digits(height)} ${words[0]?.text}`, x, y, () => {
    const made = element("g", {
      class: `cell ${open ? "open" : cell.block ? "closed" : "leaf"}`, "data-id": cell.id, tabindex: 0, role: "button",
      "aria-label": cell.spoken, "aria-expanded": cell.block ? String(open) : null,
    }, element("title", {}, cell.spoken), ...outline({ x: 0, y: 0, width, height, mark, role }, kind));
    if (open) made.append(element("rect", { class: "grip", x: 1, y: 1, width: digits(width - 2), height: 20, rx: 7 }));
    made.append(...movedTexts(words, -x, -y).map(textOf), ...badge(one));
    if (cell.block) made.append(hint(open));
    return made;
  });
}

// The shapes behind the boxes: they belong to what is around the boxes.
function shapesOf(piece) {
  const texts = [...piece.texts], waiting = [...piece.drawn];
  while (waiting.length) {
    const one = waiting.pop();
    if (one.mark === "frame") texts.push(...one.texts.slice(1));
    waiting.push(...one.inner);
  }
  return texts.map((text) =>
    take(`text ${text.text} ${text.anchor} ${text.role}`, text.x, text.y, () => textOf({ ...text, x: 0, y: 0 })));
}

// A small plus or minus on the corner, which says that a click opens or closes.
function hint(open) {
  const [cx, cy] = [2, 2];
  const sign = `M${point([cx - 2, cy])}h4${open ? "" : `M${point([cx, cy - 2])}v4`}`;
  return element("g", { class: "hint" }, element("circle", { cx, cy, r: 4 }), element("path", { d: sign }));
}

// -- lines -------------------------------------------------------------------------------------------

function linesOf(piece) {
  const shown = piece.wires.filter((one) => one.leaves.size).map((one) => ({ ...one, course: straight(one.points) }));
  const trunks = new Map();
  for (const { role, course } of shown) {
    if (role === "flow") trunks.set(point(course[0]), [...(trunks.get(point(course[0])) ?? []), course]);
  }
  shown.sort((a, b) => OVER.indexOf(a.role) - OVER.indexOf(b.role));
  return shown.flatMap((one) => {
    let course = one.course;
    if (one.role !== "flow") {
      const ways = (trunks.get(point(course[0])) ?? []).map((trunk) => parted(course, trunk));
      course = ways.reduce((short, way) => (way.length < short.length ? way : short), ways[0] ?? course);
    }
    return course.length > 1 ? line(course, one.role, one.leaves) : [];
  });
}

function parted(course, trunk) {
  const end = Math.min(course.length, trunk.length);
  let k = 0;
  while (k + 1 < end && point(course[k + 1]) === point(trunk[k + 1])) k += 1;
  if (k + 1 >= end) return course;
  if (isOn(course[k + 1], course[k], trunk[k + 1]) && k + 2 < course.length) return course.slice(k + 1);
  if (isOn(trunk[k + 1], course[k], course[k + 1])) return [trunk[k + 1], ...course.slice(k + 1)];
  return course.slice(k);
}

function isOn([x, y], [ax, ay], [bx, by]) {
  const down = ax === bx && bx === x && Math.min(ay, by) <= y && y <= Math.max(ay, by);
  return down || (ay === by && by === y && Math.min(ax, bx) <= x && x <= Math.max(ax, bx));
}

// What each line stands for, for when it is pointed at.
const carried = new WeakMap();

function line(course, role, leaves) {
  const [[x, y]] = course, own = course.map(([px, py]) => [px - x, py - y]);
  const made = take(`line ${role} ${own.map(point).join(" ")}`, x, y, () => {
    const [from, tip] = own.slice(-2), way = direction(from, tip);
    const size = Math.min(1, Math.hypot(tip[0] - from[0], tip[1] - from[1]) / TIP);
    const [back, notch] = [beyond(tip, way, -TIP * size), beyond(tip, way, (NOTCH - TIP) * size)];
    const aside = [-way[1] * HALF * size, way[0] * HALF * size];
    const corners = [tip, [back[0] + aside[0], back[1] + aside[1]], notch, [back[0] - aside[0], back[1] - aside[1]]];
    const d = bent(own, notch);
    return element("g", { class: "edge" }, element("path", { class: `line line-${role}`, d }),
      element("polygon", { class: `head-${role}`, points: corners.map(point).join(" ") }), element("path", { class: "touch", d }));
  });
  carried.set(made, leaves);
  return made;
}

function bent(course, end) {
  let d = `M${point(course[0])}`;
  for (let k = 1; k + 1 < course.length; k++) {
    const [before, here, after] = course.slice(k - 1, k + 2), ahead = Math.hypot(after[0] - here[0], after[1] - here[1]);
    const room = k + 2 === course.length ? Math.max(0, ahead - TIP) : ahead / 2;
    const bend = Math.min(BEND, Math.hypot(here[0] - before[0], here[1] - before[1]) / 2, room);
    const leave = beyond(here, direction(here, after), bend);
    d += `L${point(beyond(here, direction(here, before), bend))}Q${point(here)} ${point(leave)}`;
  }
  return `${d}L${point(end)}`;
}

function direction([ax, ay], [bx, by]) {
  const length = Math.hypot(bx - ax, by - ay) || 1;
  return [(bx - ax) / length, (by - ay) / length];
}

function beyond([x, y], [dx, dy], length) {
  return [x + dx * length, y + dy * length];
}

// What a line stands for, with the shape on it.
function edgeWords(net, leaves) {
  const words = [...leaves].slice(0, 6).map((edge) => {
    const { source, output, node, operand } = net.leaves[edge];
    const target = node >= 0 ? net.nodes[node].path : `output ${net.outputs[operand][0]}`;
    return `${net.nodes[source].path} \u2192 ${target}: ${net.nodes[source].shapes[output]}`;
  });
  return [...words, ...(leaves.size > 6 ? [`and ${leaves.size - 6} more`] : [])].join("\n");
}
