// The whole figure in columns, frames left out where they are too tall. As `spine.py` and `unframed.py`.
"use strict";

const MOST = 1.9, FRAMES = 4;

function spine(net, opened) {
  let root = drawn(net, net.root, opened), whole, order, shape, parts;
  for (let k = 0; k < FRAMES; k++) {
    whole = withOutputs(net, root);
    order = seriesOf(whole.cells.length, whole.links);
    if (order.tangle) return cut(tangle(whole.cells, order, 0));
    const sizes = order.cells.map((_, number) => sizeOf(whole, order, number));
    const breaks = order.segments.map((_, number) => number).slice(1, -1).filter((number) => isSingle(order.segments[number]));
    [shape, parts] = bestOf(sizes, breaks);
    const frames = new Set(root.cells.filter((cell) => cell.isOpen && cell.times === 1));
    if (shape >= 1 / MOST || !frames.size) break;
    root = unframed(net, root, frames);
  }
  return shape < 1 / MOST ? cut(series(whole.cells, order, 0)) : columns(whole, order, parts);
}

function bestOf(sizes, breaks) {
  let best = null, least = Infinity;
  for (let count = 1; count <= COLUMNS; count++) {
    const parts = partsOf(sizes.map((size) => size.height), breaks, count);
    if (!parts) break;
    const shape = shapeOf(sizes, parts), badness = Math.max(shape / BEST, BEST / shape);
    if (badness < least || (badness === least && shape < best[0])) [best, least] = [[shape, parts], badness];
    if (shape > MOST) break;
  }
  return best;
}

// The root with the cells `which`, open blocks that stand once, replaced by their own cells.
function unframed(net, root, which) {
  const cells = root.cells.flatMap((cell) => (which.has(cell) ? cell.cells : [cell])), owner = new Map(), found = new Map();
  cells.forEach((cell, k) => { for (let i = cell.first; i <= cell.last; i++) owner.set(i, k); });
  const links = [...root.links, ...root.cells.filter((cell) => which.has(cell)).flatMap((cell) => cell.links)];
  for (const edge of new Set(links.flatMap((link) => link.leaves))) {
    const leaf = net.leaves[edge], source = owner.get(leaf.source) ?? ENTRY, target = owner.get(leaf.node) ?? EXIT;
    if (source === target) continue;
    const single = source >= 0 && target >= 0 && !cells[source].block && !cells[target].block;
    const key = `${source} ${target} ${single ? leaf.operand : -1}`;
    if (!found.has(key)) found.set(key, { source, target, leaves: [] });
    found.get(key).leaves.push(edge);
  }
  return { ...root, cells, links: [...found.values()] };
}

// Of one cell and what lies before it: to the left and right of the axis, and in height.
function sizeOf(root, order, k) {
  const before = segmentPiece(root.cells, order.segments[k], k === 0 ? ENTRY : order.cells[k - 1], order.cells[k], 0);
  const piece = measured(root.cells[order.cells[k]]);
  const right = Math.max(before.width - before.axis, piece.width - piece.axis);
  return { left: Math.max(before.axis, piece.axis), right, height: before.height + piece.height };
}

function shapeOf(sizes, parts) {
  const sides = parts.map(([start, end]) => sizes.slice(start, end));
  const width = sum(sides.map((column) => most(column.map((one) => one.left)) + most(column.map((one) => one.right))));
  const height = most(sides.map((column) => sum(column.map((one) => one.height))));
  return (width + GUTTER * (parts.length - 1)) / Math.max(1, height);
}

function isSingle(segment) {
  return !segment.branches.length && segment.direct.length === 1 && segment.direct[0].leaves.length > 0;
}

function partsOf(heights, breaks, count) {
  if (count > breaks.length + 1) return null;
  const bounds = [0, ...breaks, heights.length];
  const sums = bounds.slice(1).map((end, k) => sum(heights.slice(bounds[k], end)));
  let low = most(sums), high = sum(sums);
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (columnsFor(sums, middle) <= count) high = middle;
    else low = middle;
  }
  const found = [];
  let start = 0, filled = 0;
  sums.forEach((size, k) => {
    if (filled && filled + size > high) {
      found.push([start, bounds[k]]);
      [start, filled] = [bounds[k], 0];
    }
    filled += size;
  });
  return [...found, [start, heights.length]];
}

function columnsFor(sums, limit) {
  let count = 1, filled = 0;
  for (const size of sums) {
    if (filled && filled + size > limit) [count, filled] = [count + 1, 0];
    filled += size;
  }
  return count;
}

function columns(root, order, parts) {
  const pieces = parts.map(([start, end]) => {
    const first = start === 0 ? order.segments[0] : { direct: order.segments[start].direct, branches: [] };
    const segments = [first, ...order.segments.slice(start + 1, end), order.segments[end]];
    return series(root.cells, { cells: order.cells.slice(start, end), segments }, 0);
  });
  const bottom = most(pieces.map((piece) => piece.height)) + 2;
  const whole = pieceOf(0, bottom, pieces[0].axis);
  let x = 0, leaving = [];
  pieces.forEach((piece, k) => {
    moved(piece, x, 0);
    for (const one of piece.wires.filter((other) => other.source === ENTRY)) {
      for (const before of leaving) {
        const shared = common(before, one);
        if (!shared.length && leaving.length !== 1) continue;
        one.points = [...around(before, one, x - GUTTER / 2, bottom), ...one.points];
        if (shared.length) one.leaves = new Set(shared);
      }
    }
    leaving = piece.wires.filter((one) => one.target === EXIT);
    const goingOn = k + 1 < pieces.length;
    whole.wires.push(...piece.wires.filter((one) => !(goingOn && one.target === EXIT)));
    whole.drawn.push(...piece.drawn);
    whole.texts.push(...piece.texts);
    x += piece.width + GUTTER;
  });
  whole.width = x - GUTTER;
  return whole;
}

function around(before, after, gutter, bottom) {
  const [x] = before.points[before.points.length - 1], [axis] = after.points[0];
  return [...before.points, [x, bottom], [gutter, bottom], [gutter, -6], [axis, -6]];
}
