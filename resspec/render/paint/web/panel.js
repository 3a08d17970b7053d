// The side panel and the legend.
"use strict";

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
  const drawn = [...state.places.values()], marks = new Set(drawn.map((one) => one.mark));
  const roles = new Set(drawn.map((one) => `box-${one.role}`));
  for (const one of state.piece.wires) roles.add(`line-${one.role}`);
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
