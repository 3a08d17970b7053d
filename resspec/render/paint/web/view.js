// What is shown: open blocks, links, and their order. As `view.py`, `outputs.py` and `regions.py`, which say why.
"use strict";

const ENTRY = -1, EXIT = -2;
const DEPTH = 100;

// The data of the page with what follows from it. An edge of the graph is a number, its place in `leaves`.
function network(data) {
  const leaves = [], reads = data.nodes.map(() => []), readers = data.nodes.map(() => []);
  const add = (node, source, output, operand) => {
    leaves.push({ source, output, node, operand });
    readers[source].push(leaves.length - 1);
    if (node >= 0) reads[node].push(leaves.length - 1);
  };
  data.nodes.forEach((node, i) => node.inputs.forEach(([source, output], k) => add(i, source, output, k)));
  data.outputs.forEach(([, source, output], k) => add(-1, source, output, k));
  const cells = data.cells.map((cell, id) => ({ ...cell, id, cells: [] }));
  for (const cell of cells) {
    cell.up = cells[cell.parent];
    if (cell.up) cell.up.cells.push(cell);
  }
  return { ...data, leaves, reads, readers, cells, root: cells[0] };
}

// The first nodes of all the blocks that a cell is drawn for: in an open fold, one for every block of the fold.
function stands(cell) {
  if (!cell.up || cell.first < 0) return [cell.first];
  const { up } = cell;
  return stands(up).flatMap((first) => up.simple
    ? Array.from({ length: up.times }, (_, k) => first + k * up.size + cell.first - up.first)
    : [first + cell.first - up.first]);
}

// A cell as it is drawn: closed, or open with the cells and links in it. `opened` holds numbers of cells.
function drawn(net, cell, opened) {
  const made = Object.create(cell);
  if (!cell.block || !opened.has(cell.id)) return Object.assign(made, { isOpen: false, cells: [], links: [] });
  const cells = spliced(cell, opened);
  const links = linksOf(net, cells, cell.first + cell.size - 1);
  return Object.assign(made, { isOpen: true, cells: cells.map((one) => drawn(net, one, opened)), links });
}

function boxes(cell) {
  return cell.isOpen ? cell.cells.reduce((sum, one) => sum + boxes(one), 0) : 1;
}

// The cells of a block, open blocks with several ways in or out replaced by their own cells.
function spliced(cell, opened) {
  return cell.cells.flatMap((one) => one.block && opened.has(one.id) && !one.simple ? spliced(one, opened) : [one]);
}

// The edges between the cells of a block, and those that come in and go out.
function linksOf(net, cells, last) {
  const owner = new Map(), found = new Map();
  cells.forEach((one, k) => { for (let i = one.first; i <= one.last; i++) owner.set(i, k); });
  const add = (source, target, edge) => {
    const key = (source + 2) * 1e7 + target + 2;
    if (!found.has(key)) found.set(key, { source, target, leaves: [] });
    found.get(key).leaves.push(edge);
  };
  cells.forEach((one, k) => {
    for (let i = one.first; i <= one.last; i++) {
      for (const edge of net.reads[i]) {
        const source = owner.get(net.leaves[edge].source) ?? ENTRY;
        if (source !== k) add(source, k, edge);
      }
      for (const edge of net.readers[i]) {
        const reader = net.leaves[edge].node;
        if (reader > last || reader < 0) add(k, EXIT, edge);
      }
    }
  });
  return [...found.values()].flatMap((link) => {
    const { source, target, leaves } = link;
    // two edges between the same two nodes are two lines
    const several = source >= 0 && target >= 0 && !cells[source].block && !cells[target].block;
    return several ? leaves.map((edge) => ({ source, target, leaves: [edge] })) : [link];
  });
}

// The root with a cell for every output, each behind the cell that yields it.
function withOutputs(net, root) {
  const cells = [], links = [], place = new Map(), edges = root.cells.map(() => []);
  for (const { source, target, leaves } of root.links) if (target === EXIT) edges[source].push(...leaves);
  root.cells.forEach((cell, k) => {
    place.set(k, cells.length);
    cells.push(cell);
    for (const edge of edges[k]) {
      links.push({ source: place.get(k), target: cells.length, leaves: [edge] });
      cells.push({ ...net.ends[net.leaves[edge].operand], isOpen: false, cells: [], links: [] });
    }
  });
  for (const { source, target, leaves } of root.links) {
    if (target !== EXIT) links.push({ source: place.get(source) ?? source, target: place.get(target), leaves });
  }
  return { ...root, cells, links };
}

// -- the order in a body -------------------------------------------------------------------------

function seriesOf(count, links) {
  const fed = new Set(links.map((link) => link.target)), cells = [...Array(count).keys()];
  const starts = cells.filter((k) => !fed.has(k)).map((k) => ({ source: ENTRY, target: k, leaves: [] }));
  return regionOf(cells, [...links, ...starts], 0);
}

function regionOf(cells, links, depth) {
  const position = new Map([...cells.map((cell, p) => [cell, p + 1]), [ENTRY, 0], [EXIT, cells.length + 1]]);
  const over = Array(cells.length + 3).fill(0);
  for (const link of links) {
    over[position.get(link.source) + 1] += 1;
    over[position.get(link.target)] -= 1;
  }
  const cuts = [];
  for (let p = 1, crossing = 0; p <= cells.length; p++) {
    crossing += over[p];
    if (crossing === 0) cuts.push(p);
  }
  if (!cuts.length && cells.length > 1 && (depth >= DEPTH || components(cells, links).length === 1)) {
    const direct = links.some((link) => link.source === ENTRY && link.target === EXIT);
    if (!direct || depth >= DEPTH) return { tangle: true, cells, links };
  }
  const ends = [...cuts, cells.length + 1];
  const segments = ends.map(() => ({ direct: [], branches: [] })), inside = ends.map(() => []);
  const which = Array(cells.length + 2).fill(0);
  for (let p = 1, k = 0; p <= cells.length + 1; p++) {
    which[p] = k;
    if (p === ends[k]) k += 1;
  }
  for (const link of links) inside[which[position.get(link.target)]].push(link);
  const bounds = [0, ...ends];
  segments.forEach((segment, k) => {
    const own = cells.slice(bounds[k], bounds[k + 1] - 1);
    if (!own.length) {
      segment.direct = inside[k];
      return;
    }
    const members = new Set(own);
    segment.direct = inside[k].filter((link) => !members.has(link.source) && !members.has(link.target));
    for (const part of components(own, inside[k])) {
      const among = new Set(part);
      const within = inside[k].filter((link) => among.has(link.source) || among.has(link.target));
      segment.branches.push(regionOf(part, within.map((link) => ({
        source: among.has(link.source) ? link.source : ENTRY,
        target: among.has(link.target) ? link.target : EXIT,
        leaves: link.leaves,
      })), depth + 1));
    }
  });
  return { tangle: false, cells: cuts.map((p) => cells[p - 1]), segments };
}

function components(cells, links) {
  const parent = new Map(cells.map((cell) => [cell, cell]));
  const top = (cell) => {
    while (parent.get(cell) !== cell) {
      parent.set(cell, parent.get(parent.get(cell)));
      cell = parent.get(cell);
    }
    return cell;
  };
  for (const link of links) {
    if (parent.has(link.source) && parent.has(link.target)) parent.set(top(link.target), top(link.source));
  }
  const groups = new Map();
  for (const cell of cells) {
    const root = top(cell);
    if (!groups.has(root)) groups.set(root, []);
    groups.get(root).push(cell);
  }
  return [...groups.values()];
}
