// Search for nodes and blocks by their paths and kinds.
"use strict";

const RESULTS = 40;

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
  elementOf(cell.id)?.focus({ preventScroll: true });
  select(cell.id, hit.path);
  centre(cell.id);
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
