// The page: drawing, opening and closing, moving, keys and pointer.
"use strict";

const MARGIN = 24, LEGIBLE = 0.3, CLOSEST = 4, STEP = 60;

const net = network(JSON.parse(document.getElementById("ui-data").textContent));
const costs = costsOf(net);
const ui = (name) => document.getElementById(`ui-${name}`);
const world = element("g", {});
const state = { opened: new Set(net.opened), heat: "", selected: 0, piece: null, places: new Map(), x: 0, y: 0, scale: 1, wide: 1, tall: 1 };

// -- drawing -----------------------------------------------------------------------------------------

function draw() {
  state.piece = spine(net, state.opened);
  state.places = new Map();
  const cells = [], add = (one, depth) => {
    state.places.set(one.cell.id, one);
    cells.push(group(one, depth, heatOf(one.cell)));
    for (const inner of one.inner) add(inner, depth + 1);
  };
  for (const one of state.piece.drawn) add(one, 0);
  fill(world, [...cells, ...shapesOf(state.piece), ...linesOf(state.piece)]);
  mark();
  legend();
}

// Does what may replace the box that has the focus, and gives the focus to its successor: last, for it costs a layout.
function keepingFocus(act) {
  const { id } = document.activeElement?.dataset ?? {};
  act();
  if (id !== undefined) elementOf(Number(id))?.focus({ preventScroll: true });
}

function heatOf(cell) {
  return state.heat && cell.first >= 0 ? heatClass(shareOf(net, costs, state.heat, cell)) : "";
}

function elementOf(id) {
  return world.querySelector(`[data-id="${id}"]`);
}

function mark() {
  for (const one of world.querySelectorAll(".selected")) one.classList.remove("selected");
  if (state.selected) elementOf(state.selected)?.classList.add("selected");
}

// -- opening and closing -----------------------------------------------------------------------------

// Another set of open blocks; what is looked at stays where it is on the screen.
function change(opened, id) {
  const before = spot(id);
  state.opened = opened;
  keepingFocus(() => {
    draw();
    const after = spot(id);
    if (before && after) move((before.x - after.x) * state.scale, (before.y - after.y) * state.scale);
    keep();
  });
}

// The place of a cell, or of what stands for it: the block around it, or the first thing in it.
function spot(id) {
  if (state.places.has(id)) return state.places.get(id);
  const inside = [...state.places.values()].find((one) => ancestors(one.cell.id).includes(id));
  return inside ?? state.places.get(ancestors(id).find((up) => state.places.has(up)));
}

// The blocks around a cell, innermost first.
function ancestors(id) {
  const found = [];
  for (let at = net.cells[id]?.up; at; at = at.up) found.push(at.id);
  return found;
}

function toggle(id, alike = false) {
  const cell = net.cells[id];
  if (!cell?.block) return;
  const opened = new Set(state.opened), wanted = !opened.has(id);
  for (const one of alike ? net.cells.filter((other) => isAlike(cell, other)) : [cell]) {
    if (wanted) opened.add(one.id);
    else opened.delete(one.id);
  }
  change(opened, id);
}

// Calls of one block are of a kind; loops are if they do the same.
function isAlike(cell, other) {
  const named = !["for", "repeat", "do"].includes(cell.kind);
  return other.block && other.id > 0 && (named ? other.kind === cell.kind : other.signature === cell.signature);
}

// -- moving ------------------------------------------------------------------------------------------

function place() {
  const at = `translate(${digits(state.x)} ${digits(state.y)}) scale(${state.scale.toFixed(4)})`;
  if (world.getAttribute("transform") !== at) world.setAttribute("transform", at);
}

function move(dx, dy) {
  if (!dx && !dy) return;
  state.x += dx;
  state.y += dy;
  place();
}

// What has room in the window is not outside of it.
function keep() {
  const width = state.piece.width * state.scale, height = state.piece.height * state.scale;
  const held = (start, size, room) => (size + 2 * MARGIN > room ? start : Math.min(Math.max(start, MARGIN), room - MARGIN - size));
  state.x = held(state.x, width, state.wide);
  state.y = held(state.y, height, state.tall);
  place();
}

function zoom(factor, x = state.wide / 2, y = state.tall / 2) {
  const scale = Math.min(CLOSEST, Math.max(0.02, state.scale * factor));
  state.x = x - (x - state.x) * (scale / state.scale);
  state.y = y - (y - state.y) * (scale / state.scale);
  state.scale = scale;
  place();
}

function fit() {
  const { width, height } = state.piece;
  state.scale = Math.max(0.02, Math.min(1.4, (state.wide - 2 * MARGIN) / width, (state.tall - 2 * MARGIN) / height));
  state.x = (state.wide - width * state.scale) / 2;
  state.y = (state.tall - height * state.scale) / 2;
  place();
}

// The whole figure, or where it is too large to be read so, its beginning.
function overview() {
  fit();
  if (state.scale >= LEGIBLE) return;
  zoom(2 * LEGIBLE / state.scale, state.x, MARGIN);
  const [first] = state.places.values();
  state.x = 4 * MARGIN - first.x * state.scale;
  keep();
}

function centre(id) {
  const one = spot(id);
  state.scale = Math.max(state.scale, 0.9);
  state.x = state.wide / 2 - (one.x + one.width / 2) * state.scale;
  state.y = state.tall / 2 - (one.y + Math.min(one.height, state.tall / state.scale - 40) / 2) * state.scale;
  place();
}

// Moves so far that a box is seen whole, if it is not.
function show(id) {
  const one = state.places.get(id);
  if (!one) return;
  const need = (start, size, room) => Math.min(0, room - MARGIN - start - size) + Math.max(0, MARGIN - start);
  const dx = need(state.x + one.x * state.scale, one.width * state.scale, state.wide);
  move(dx, need(state.y + one.y * state.scale, Math.min(one.height, 40) * state.scale, state.tall));
}

// The room that the figure has; asking for it costs the browser a layout, so it is kept.
function measure() {
  [state.wide, state.tall] = [ui("figure").clientWidth, ui("figure").clientHeight];
}

// -- keys and pointer ----------------------------------------------------------------------------------

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The nearest box in a direction; what lies aside counts thrice.
function neighbour(id, [dx, dy]) {
  const middle = (one) => [one.x + one.width / 2, one.mark === "frame" ? one.y + 10 : one.y + one.height / 2];
  const [x, y] = middle(state.places.get(id));
  const far = ([, one]) => {
    const [ox, oy] = middle(one), along = (ox - x) * dx + (oy - y) * dy;
    return along < 4 ? Infinity : along + 3 * Math.abs((ox - x) * dy + (oy - y) * dx);
  };
  const [best] = [...state.places].filter((one) => one[0] !== id && far(one) < Infinity).sort((a, b) => far(a) - far(b));
  return best?.[0];
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName)) return;
  const cell = event.target.closest?.(".cell"), id = cell ? Number(cell.dataset.id) : null;
  const way = WAYS[event.key];
  if (way && cell && !event.shiftKey) elementOf(neighbour(id, way))?.focus({ preventScroll: true });
  else if (way) move(-way[0] * STEP, -way[1] * STEP);
  else if ((event.key === "Enter" || event.key === " ") && cell) toggle(id, event.shiftKey);
  else if (event.key === "c" && cell && ancestors(id).length > 1) closeAround(id);
  else if (event.key === "/") ui("search").focus();
  else if (event.key === "+" || event.key === "=") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
  else if (event.key === "0") fit();
  else if (event.key === "Escape") {
    select(0);
    ui("figure").focus();
  } else return;
  event.preventDefault();
}

function closeAround(id) {
  const [around] = ancestors(id);
  toggle(around);
  elementOf(around)?.focus({ preventScroll: true });
}

// Dragging moves the figure; a press that does not move is a click.
function drag(event) {
  if (event.button !== 0) return;
  let [x, y] = [event.clientX, event.clientY], far = 0;
  const figure = ui("figure"), follow = (next) => {
    far += Math.abs(next.clientX - x) + Math.abs(next.clientY - y);
    if (far > 4 && !figure.hasPointerCapture(next.pointerId)) figure.setPointerCapture(next.pointerId);
    if (far > 4) move(next.clientX - x, next.clientY - y);
    [x, y] = [next.clientX, next.clientY];
  };
  const end = () => {
    figure.removeEventListener("pointermove", follow);
    state.dragged = far > 4;
  };
  state.dragged = false;
  figure.addEventListener("pointermove", follow);
  figure.addEventListener("pointerup", end, { once: true });
  figure.addEventListener("pointercancel", end, { once: true });
}

function click(event) {
  const cell = event.target.closest(".cell");
  if (state.dragged) return;
  if (!cell) {
    select(0);
    return;
  }
  const id = Number(cell.dataset.id);
  cell.focus({ preventScroll: true });
  if (cell.classList.contains("closed") || event.target.closest(".grip, .hint")) toggle(id, event.shiftKey);
}

function themes() {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme ?? (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
}

function levels(event) {
  change(new Set(net.levels[event.target.value]), 0);
  overview();
}

function begin() {
  const figure = ui("figure"), svg = element("svg", { role: "group", "aria-label": `${net.title}, ${net.nodes.length} nodes` }, world);
  figure.replaceChildren(svg);
  document.documentElement.classList.add("live");
  figure.addEventListener("pointerdown", drag);
  figure.addEventListener("click", click);
  figure.addEventListener("focusin", (event) => {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    select(Number(cell.dataset.id));
    show(Number(cell.dataset.id));
  });
  figure.addEventListener("pointerover", (event) => {
    const edge = event.target.closest(".edge");
    if (edge) edge.lastChild.replaceChildren(element("title", {}, edgeWords(net, carried.get(edge))));
  });
  figure.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { left, top } = figure.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX - left, event.clientY - top);
  }, { passive: false });
  document.addEventListener("keydown", key);
  ui("search").addEventListener("input", search);
  ui("search").addEventListener("keydown", searchKey);
  ui("search").addEventListener("blur", () => choose(null));
  ui("level").addEventListener("change", levels);
  ui("heat").addEventListener("change", (event) => {
    state.heat = event.target.value;
    keepingFocus(draw);
  });
  ui("theme").addEventListener("click", themes);
  ui("fit").addEventListener("click", fit);
  ui("in").addEventListener("click", () => zoom(1.25));
  ui("out").addEventListener("click", () => zoom(0.8));
  new ResizeObserver(measure).observe(figure);
  draw();
  select(0);
  measure();
  overview();
}

begin();
