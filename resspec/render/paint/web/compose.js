// Where everything stands: pieces put together to larger ones. As `compose.py`, in its order, which says why.
"use strict";

const GAP = 14, FAN = 14, LANE = 16, ASIDE = 18, PAD = 10, HEAD = 18, SLOT = 7;

const known = new WeakMap();

// The piece of a cell, to be looked at only: the next one that asks for it gets it.
function measured(cell) {
  const piece = composeCell(cell);
  known.set(cell, piece);
  return piece;
}

function composeCell(cell, depth = 0) {
  const made = known.get(cell);
  if (known.delete(cell)) return made;
  return cell.isOpen ? frame(cell, depth) : boxOf(cell);
}

function body(cell, depth = 0) {
  return region(cell.cells, seriesOf(cell.cells.length, cell.links), depth);
}

function frame(cell, depth) {
  const inside = body(cell, depth + 1), [heading, wide] = cell.headings[depth ? 1 : 0], room = cell.room;
  const left = Math.max(PAD, wide + 12 - inside.axis);
  const right = Math.max(PAD, room + 12 - (inside.width - inside.axis));
  const full = left + inside.width + right;
  moved(inside, left, HEAD + 4);
  const axis = left + inside.axis, height = inside.height + HEAD + 4 + PAD;
  const texts = [{ x: 8, y: 13, text: heading, size: 9, role: "heading", anchor: "start", bold: true }, ...inside.texts];
  const place = { cell, x: 0, y: 0, width: full, height, mark: "frame", role: "frame", texts, inner: inside.drawn };
  for (const one of inside.wires) {
    if (one.source === ENTRY) one.points.unshift([axis, 0]);
    if (one.target === EXIT) one.points.push([axis, height]);
  }
  const whole = pieceOf(full, height, axis, [place], inside.wires);
  if (cell.after) behind(cell, whole);
  return whole;
}

// The shape behind a fold that changes it at every turn.
function behind(cell, piece) {
  const [text, width] = cell.after;
  const place = { x: piece.axis + 5, y: piece.height + 10.5, wide: width };
  piece.texts.push({ ...place, text, size: 9, role: "shape", anchor: "start", bold: false });
  piece.height += 13;
  piece.width = Math.max(piece.width, piece.axis + 6 + width);
  for (const one of piece.wires) if (one.target === EXIT) one.points.push([piece.axis, piece.height]);
}

function region(cells, order, depth) {
  return order.tangle ? tangle(cells, order, depth) : series(cells, order, depth);
}

// -- one after the other -----------------------------------------------------------------------------

function series(cells, order, depth) {
  const pieces = new Map(order.cells.map((k) => [k, composeCell(cells[k], depth)]));
  const ends = [ENTRY, ...order.cells, EXIT];
  const between = order.segments.map((one, k) => segmentPiece(cells, one, ends[k], ends[k + 1], depth));
  const parts = [...between, ...pieces.values()];
  const axis = most(parts.map((one) => one.axis));
  const right = most(parts.map((one) => one.width - one.axis));
  const whole = pieceOf(axis + right, 0, axis);
  const places = new Map(), wires = [];
  let y = 0;
  between.forEach((segment, k) => {
    const sign = pieces.get(ends[k + 1]);
    moved(segment, axis - segment.axis, y);
    y += segment.height;
    if (sign && sign.rise) for (const one of segment.wires) sideways(one, ends[k + 1], axis, y, sign);
    wires.push(...segment.wires);
    whole.drawn.push(...segment.drawn);
    whole.texts.push(...segment.texts);
    if (sign) {
      places.set(ends[k + 1], placeOf(whole, moved(sign, axis - sign.axis, y), cells[ends[k + 1]], y));
      wires.push(...sign.wires.filter(isClosed));
      y += sign.height;
    }
  });
  whole.height = y;
  const orderOf = new Map(ends.map((end, k) => [end, k]));
  const rank = (one) => orderOf.get(one.source) ?? orderOf.get(one.target) ?? 0;
  const openOnes = wires.filter((one) => !isClosed(one)).sort((a, b) => rank(a) - rank(b));
  whole.wires = [...wires.filter(isClosed), ...connected(openOnes, places)];
  return whole;
}

function segmentPiece(cells, segment, source, target, depth) {
  const direct = segment.direct.filter((link) => link.leaves.length);
  if (!segment.branches.length && direct.length <= 1) {
    const height = source !== ENTRY && target !== EXIT ? GAP : direct.length ? GAP / 2 : 0;
    return pieceOf(0, height, 0, [], direct.map((one) => wire([[0, 0], [0, height]], one.leaves, "flow", source, target)));
  }
  const size = (branch) => sum(branch.cells.map((k) => boxes(cells[k])));
  const branches = segment.branches.map((branch) => [size(branch), region(cells, branch, depth)]);
  return parallel(branches.sort((a, b) => b[0] - a[0]).map(([, piece]) => piece), direct, source, target);
}

// -- side by side --------------------------------------------------------------------------------------

function parallel(branches, direct, source, target) {
  const skips = [...direct];
  const ends = branches.filter((piece) => piece.wires.every((one) => one.target !== EXIT));
  let pieces = branches.filter((piece) => !ends.includes(piece));
  if (!pieces.length && skips.length) {
    pieces = [pieceOf(0, GAP, 0, [], [wire([[0, 0], [0, GAP]], skips.shift().leaves, "flow", ENTRY, EXIT)])];
  }
  const through = Math.max(1, pieces.length);
  pieces = [...pieces, ...ends];
  const tall = most(pieces.map((piece) => piece.height)), height = tall + 2 * FAN;
  const lefts = pieces.map((_, k) => sum(pieces.slice(0, k).map((piece) => piece.width + ASIDE)));
  const x = sum(pieces.map((piece) => piece.width + ASIDE)) - ASIDE;
  const middle = sum(pieces.slice(0, through).map((piece) => piece.width + ASIDE)) / 2;
  const axis = through < 3 ? pieces[0].axis : middle;
  const whole = pieceOf(x, height, axis);
  pieces.forEach((piece, number) => {
    const beside = number > 0 && number < through && through === 2 && projects(piece);
    const dy = FAN + (tall - piece.height) / 2;
    for (const one of moved(piece, lefts[number], dy).wires) {
      if (beside && one.role === "flow") one.role = "projection";
      if (one.source === ENTRY) {
        fromAxis(one, axis);
        one.source = source;
      }
      if (one.target === EXIT) {
        toAxis(one, axis, height);
        one.target = target;
      }
      whole.wires.push(one);
    }
    whole.drawn.push(...piece.drawn);
    whole.texts.push(...piece.texts);
  });
  skips.forEach((link, k) => {
    const lane = x + LANE + k * SLOT, low = height - FAN / 2;
    const points = [[axis, 0], [axis, FAN / 2], [lane, FAN / 2], [lane, low], [axis, low], [axis, height]];
    whole.wires.push(wire(points, link.leaves, "identity", source, target));
    whole.width = lane + 4;
  });
  return whole;
}

function projects(piece) {
  const families = piece.drawn.flatMap((one) => one.cell.families);
  return families.length <= 3 && families.filter((family) => family === "conv").length === 1
    && families.every((family) => ["conv", "norm", "pool"].includes(family));
}

// -- neither -------------------------------------------------------------------------------------------

function tangle(cells, order, depth) {
  const count = order.cells.length, row = new Map([[ENTRY, 0], [EXIT, count + 1]]);
  order.cells.forEach((k, r) => row.set(k, r + 1));
  const pieces = order.cells.map((k) => composeCell(cells[k], depth));
  const axis = most(pieces.map((piece) => piece.axis));
  const right = most(pieces.map((piece) => piece.width - piece.axis));
  const links = order.links.filter((link) => link.leaves.length);
  const near = links.filter((link) => row.get(link.target) === row.get(link.source) + 1);
  const far = links.filter((link) => row.get(link.target) > row.get(link.source) + 1);
  const lanes = lanesOf(far.map((link) => [row.get(link.source), row.get(link.target)]));
  const leaving = Array.from({ length: count + 2 }, () => []), coming = Array.from({ length: count + 2 }, () => []);
  for (const number of far.map((_, k) => k).sort((a, b) => lanes[a] - lanes[b])) {
    leaving[row.get(far[number].source)].push(number);
    coming[row.get(far[number].target)].push(number);
  }
  const whole = pieceOf(0, 0, axis), places = new Map(), out = [], back = [], tops = [0], wires = [];
  let y = 0;
  for (let r = 0; r <= count; r++) {
    const start = y;
    for (const number of leaving[r]) out[number] = y += SLOT;
    for (const number of [...coming[r + 1]].reverse()) back[number] = y += SLOT;
    y = Math.max(y + SLOT, start + GAP);
    tops[r + 1] = y;
    if (r < count) {
      const k = order.cells[r], piece = moved(pieces[r], axis - pieces[r].axis, y);
      places.set(k, placeOf(whole, piece, cells[k], y));
      wires.push(...piece.wires.filter(isClosed));
      y += piece.height;
    }
  }
  whole.height = y;
  const begin = (link) => (places.has(link.source) ? places.get(link.source).bottom : [axis, 0]);
  const openOnes = near.map((link) => {
    const points = [begin(link), [axis, tops[row.get(link.target)]]];
    return wire(points, link.leaves, "flow", link.source, link.target);
  });
  far.forEach((link, number) => {
    const lane = axis + right + LANE + lanes[number] * SLOT, end = [axis, tops[row.get(link.target)]];
    const turns = [[axis, out[number]], [lane, out[number]], [lane, back[number]], [axis, back[number]]];
    openOnes.push(wire([begin(link), ...turns, end], link.leaves, "identity", link.source, link.target));
  });
  whole.width = axis + right + (far.length ? LANE + (most(lanes, -1) + 1) * SLOT : 0);
  openOnes.sort((a, b) => row.get(a.source) - row.get(b.source));
  whole.wires = [...wires, ...connected(openOnes, places)];
  return whole;
}

function placeOf(whole, piece, cell, y) {
  whole.drawn.push(...piece.drawn);
  whole.texts.push(...piece.texts);
  const first = piece.drawn[0];
  const x = cell.isOpen ? first.x + piece.axis : first.x + first.width / 2;
  const place = { top: [x, y], bottom: [x, y + piece.height - piece.drop], heads: null, tails: null, folded: false };
  if (!cell.isOpen) return place;
  place.heads = piece.wires.filter((one) => one.source === ENTRY);
  place.tails = piece.wires.filter((one) => one.target === EXIT && one.source !== ENTRY);
  place.folded = cell.times > 1;
  return place;
}

function fromAxis(one, axis) {
  const x = one.points[0][0];
  one.points.unshift([axis, 0], ...(x !== axis ? [[axis, FAN / 2], [x, FAN / 2]] : []));
}

function toAxis(one, axis, height) {
  const x = one.points[one.points.length - 1][0], turn = height - FAN / 2;
  one.points.push(...(x !== axis ? [[x, turn], [axis, turn]] : []), [axis, height]);
}

// A line that comes from the right enters a sign at its side.
function sideways(one, target, axis, y, sign) {
  if (one.target !== target || one.points.length < 3) return;
  const [[x], [, turn], [endX, endY]] = one.points.slice(-3);
  if (x > axis + sign.reach && endX === axis && endY === y && turn === y - FAN / 2) {
    one.points.splice(-2, 2, [x, y + sign.rise], [axis + sign.reach, y + sign.rise]);
  }
}

function lanesOf(spans) {
  const found = spans.map(() => 0), taken = [];
  const length = ([low, high]) => high - low;
  const order = spans.map((_, k) => k).sort((a, b) =>
    length(spans[a]) - length(spans[b]) || spans[a][0] - spans[b][0] || spans[a][1] - spans[b][1]);
  for (const number of order) {
    const [low, high] = spans[number];
    let lane = taken.findIndex((others) => others.every(([a, b]) => high <= a || low >= b));
    if (lane < 0) lane = taken.push([]) - 1;
    taken[lane].push([low, high]);
    found[number] = lane;
  }
  return found;
}
