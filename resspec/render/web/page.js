// The page: opening and closing, moving, search, keys, the side panel.
"use strict";

const MARGIN = 24, CLOSEST = 4, STEP = 60, RESULTS = 40;

const net = network(JSON.parse(document.getElementById("ui-data").textContent));
const costs = costsOf(net);
const ui = (name) => document.getElementById(`ui-${name}`);
const world = element("g", {});
const state = { opened: new Set(net.opened), heat: "", selected: 0, piece: null, places: new Map(), x: 0, y: 0, scale: 1 };

// -- drawing -----------------------------------------------------------------------------------------

function draw() {
  state.piece = spine(net, state.opened);
  state.places = new Map();
  const cells = [], add = (one, depth) => {
    state.places.set(one.cell.id, one);
    cells.push(group(one, depth, heatOf));
    for (const inner of one.inner) add(inner, depth + 1);
  };
  for (const one of state.piece.drawn) add(one, 0);
  const lines = linesOf(net, state.piece), focused = document.activeElement?.dataset?.id;
  world.replaceChildren(...cells, ...state.piece.texts.map(textOf), ...lines);
  if (focused !== undefined) elementOf(Number(focused))?.focus({ preventScroll: true });
  mark();
  legend();
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
  draw();
  const after = spot(id);
  if (before && after) move((before.x - after.x) * state.scale, (before.y - after.y) * state.scale);
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
  world.setAttribute("transform", `translate(${digits(state.x)} ${digits(state.y)}) scale(${state.scale.toFixed(4)})`);
}

function move(dx, dy) {
  state.x += dx;
  state.y += dy;
  place();
}

function zoom(factor, x = ui("figure").clientWidth / 2, y = ui("figure").clientHeight / 2) {
  const scale = Math.min(CLOSEST, Math.max(0.02, state.scale * factor));
  state.x = x - (x - state.x) * (scale / state.scale);
  state.y = y - (y - state.y) * (scale / state.scale);
  state.scale = scale;
  place();
}

function fit() {
  const { clientWidth, clientHeight } = ui("figure"), { width, height } = state.piece;
  state.scale = Math.min(1.4, (clientWidth - 2 * MARGIN) / width, (clientHeight - 2 * MARGIN) / height);
  state.x = (clientWidth - width * state.scale) / 2;
  state.y = (clientHeight - height * state.scale) / 2;
  place();
}

function centre(id) {
  const one = spot(id), { clientWidth, clientHeight } = ui("figure");
  state.scale = Math.max(state.scale, 0.9);
  state.x = clientWidth / 2 - (one.x + one.width / 2) * state.scale;
  state.y = clientHeight / 2 - (one.y + Math.min(one.height, clientHeight / state.scale - 40) / 2) * state.scale;
  place();
}

// Moves so far that a box is seen whole, if it is not.
function show(id) {
  const one = state.places.get(id), figure = ui("figure");
  if (!one) return;
  const need = (start, size, room) => Math.min(0, room - MARGIN - start - size) + Math.max(0, MARGIN - start);
  const dx = need(state.x + one.x * state.scale, one.width * state.scale, figure.clientWidth);
  move(dx, need(state.y + one.y * state.scale, Math.min(one.height, 40) * state.scale, figure.clientHeight));
}

// -- search ------------------------------------------------------------------------------------------

function hits(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const all = [...net.groups, ...net.nodes.map((node, i) => ({ ...node, first: i, last: i, leaf: true }))];
  const fits = (one) => wanted.every((word) => `${one.path} ${one.kind}`.toLowerCase().includes(word));
  const rank = (one) => (one.path.toLowerCase().split("/").pop() === wanted[0] ? 0 : 1);
  return wanted.length ? all.filter(fits).sort((a, b) => rank(a) - rank(b) || a.first - b.first || b.last - a.last) : [];
}

// Opens every block around a hit, goes there, and says for what it stands.
function reveal(hit) {
  const opened = new Set(state.opened);
  let { first, last } = hit, cell = net.root;
  for (;;) {
    const inner = cell.cells.find((one) => one.first <= first && last <= one.last);
    if (!inner) break;
    opened.add(cell.id);
    cell = inner;
    if (cell.simple && cell.times > 1) {
      const turns = Math.floor((first - cell.first) / cell.size);
      [first, last] = [first - turns * cell.size, last - turns * cell.size];
    }
    if (!hit.leaf && first === cell.first && last - first + 1 === cell.size) break;
  }
  state.opened = opened;
  draw();
  select(cell.id, hit.path);
  centre(cell.id);
  elementOf(cell.id)?.focus({ preventScroll: true });
}

function search() {
  const found = hits(ui("search").value);
  ui("results").replaceChildren(...found.slice(0, RESULTS).map((hit, k) => {
    const item = html("li", { id: `ui-hit${k}`, role: "option", "aria-selected": String(k === 0) });
    item.append(html("b", {}, hit.path), html("span", {}, hit.kind));
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      choose(hit);
    });
    return item;
  }), ...(found.length > RESULTS ? [html("li", { class: "more" }, `and ${found.length - RESULTS} more`)] : []));
  if (ui("search").value && !found.length) ui("results").append(html("li", { class: "more" }, "nothing found"));
  ui("search").setAttribute("aria-expanded", String(found.length > 0));
  pointAt(0);
}

function choose(hit) {
  ui("search").value = "";
  search();
  if (hit) reveal(hit);
}

function pointAt(number) {
  const items = [...ui("results").querySelectorAll("[role=option]")];
  items.forEach((item, k) => item.setAttribute("aria-selected", String(k === number)));
  items[number]?.scrollIntoView({ block: "nearest" });
  if (items[number]) ui("search").setAttribute("aria-activedescendant", items[number].id);
  else ui("search").removeAttribute("aria-activedescendant");
}

function searchKey(event) {
  const items = [...ui("results").querySelectorAll("[role=option]")];
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") pointAt(Math.min(now + 1, items.length - 1));
  else if (event.key === "ArrowUp") pointAt(Math.max(now - 1, 0));
  else if (event.key === "Enter") choose(hits(ui("search").value)[now]);
  else if (event.key === "Escape") {
    choose(null);
    ui("figure").focus();
  } else return;
  event.preventDefault();
}

// -- the side panel ------------------------------------------------------------------------------------

function html(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function select(id, sought = "") {
  state.selected = id;
  mark();
  const cell = id < 0 ? net.ends[-1 - id] : net.cells[id];
  const name = cell.path.split("/").pop() || net.title;
  const parts = [html("h2", {}, cell.until ? `${name} .. ${cell.until.split("/").pop()}` : name)];
  const around = ancestors(id).slice(0, -1).reverse();
  if (around.length) parts.push(html("nav", { "aria-label": "blocks around it" }, ...around.map(closer)));
  if (sought && sought !== cell.path) parts.push(html("p", {}, `drawn here for ${sought}, which is equal`));
  if (cell.times > 1) parts.push(html("p", {}, `${cell.times} blocks of equal structure in a chain; the first is drawn`));
  parts.push(table(rowsOf(net, costs, cell)));
  const given = argumentsOf(net, cell);
  if (given.length) parts.push(html("h3", {}, "arguments"), table(given.map(([key, value]) => [key, value, null])));
  ui("panel").replaceChildren(...parts);
}

function closer(id) {
  const button = html("button", { type: "button", title: "close this block" }, net.cells[id].path.split("/").pop(), " \u00d7");
  button.addEventListener("click", () => {
    toggle(id);
    select(id);
    show(id);
  });
  return button;
}

function table(rows) {
  return html("dl", {}, ...rows.flatMap(([name, value, share]) => {
    const told = html("dd", {}, value);
    if (share) {
      const bar = html("meter", { min: 0, max: 1, value: share.toFixed(4), "aria-label": "share of the whole" });
      told.append(html("span", { class: "share" }, percent(share)), bar);
    }
    return [html("dt", {}, name), told];
  }));
}

function legend() {
  const shown = [...world.querySelectorAll("[class*=box-],[class*=line-]")].flatMap((one) => [...one.classList]);
  const roles = new Set(shown), marks = new Set([...state.places.values()].map((one) => one.mark));
  const key = ([kind, words]) => html("li", {}, swatch(kind), words);
  const heat = ["none", "< 0.1 %", "0.1 to 1 %", "1 to 5 %", "5 to 15 %", "> 15 %"].map((words, k) => [`heat${k}`, words]);
  const known = state.heat ? heat : net.legend.filter(([kind]) => roles.has(kind) || marks.has(kind));
  ui("legend").replaceChildren(...known.map(key));
}

function swatch(kind) {
  const wide = { viewBox: "0 0 20 12", width: 20, height: 12, "aria-hidden": "true" };
  if (kind.startsWith("line")) return element("svg", wide, element("path", { class: `line ${kind}`, d: "M0 6h20" }));
  const sign = ["plus", "times", "bar"].includes(kind);
  const one = sign ? { x: kind === "bar" ? 0 : 4, y: kind === "bar" ? 2 : 0, width: kind === "bar" ? 20 : 12, height: kind === "bar" ? 8 : 12 }
    : { x: 1, y: 1, width: 18, height: 10 };
  return element("svg", wide, ...outline({ ...one, mark: sign ? kind : "rect", role: "merge" }, sign ? "box-merge" : kind));
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
  else if (event.key === "Enter" && cell) toggle(id, event.shiftKey);
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
  if (cell.classList.contains("closed") || event.target.matches(".grip, .text-heading, .hint")) toggle(id, event.shiftKey);
}

function themes() {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme ?? (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
}

function levels(event) {
  change(new Set(net.levels[event.target.value]), 0);
  fit();
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
    draw();
  });
  ui("theme").addEventListener("click", themes);
  ui("fit").addEventListener("click", fit);
  ui("in").addEventListener("click", () => zoom(1.25));
  ui("out").addEventListener("click", () => zoom(0.8));
  draw();
  select(0);
  fit();
}

begin();
