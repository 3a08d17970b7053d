// Boxes and wires with a size, and the joining of wires. As `pieces.py`, which says why.
"use strict";

const CLOSED = -3;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const most = (values, least = 0) => values.reduce((high, value) => Math.max(high, value), least);
const wire = (points, leaves, role, source, target) => ({ points, leaves: new Set(leaves), role, source, target });
const isClosed = (one) => one.source === CLOSED && one.target === CLOSED;

function pieceOf(width, height, axis, drawn = [], wires = []) {
  return { width, height, axis, drawn, wires, texts: [], drop: 0, rise: 0, reach: 0 };
}

// The box of a closed cell, as it was measured.
function boxOf(cell) {
  const { box } = cell;
  const place = { cell, x: 0, y: 0, width: box.size[0], height: box.size[1], mark: box.mark, role: box.role };
  const piece = pieceOf(box.width, box.height, box.axis, [{ ...place, texts: box.words, inner: [] }]);
  return Object.assign(piece, { texts: box.texts, drop: box.drop, rise: box.rise, reach: box.reach });
}

function moved(piece, dx, dy) {
  const waiting = [...piece.drawn];
  while (waiting.length) {
    const one = waiting.pop();
    one.x += dx;
    one.y += dy;
    one.texts = movedTexts(one.texts, dx, dy);
    waiting.push(...one.inner);
  }
  for (const one of piece.wires) one.points = one.points.map(([x, y]) => [x + dx, y + dy]);
  piece.texts = movedTexts(piece.texts, dx, dy);
  return piece;
}

function movedTexts(texts, dx, dy) {
  return texts.map((text) => ({ ...text, x: text.x + dx, y: text.y + dy }));
}

// The wires, those that meet at the border of an open block joined to one line.
function connected(wires, places) {
  const done = [];
  for (const one of wires) {
    let starts = [one];
    const source = places.get(one.source);
    if (source && source.tails) {
      starts = source.tails.filter((tail) => meet(tail, one, source.folded))
        .map((tail) => joined(tail, one, source.folded));
    } else if (source) {
      starts = [wire([source.bottom, ...one.points], one.leaves, one.role, CLOSED, one.target)];
    }
    const target = places.get(one.target);
    for (const start of starts) {
      if (!target) {
        done.push(start);
      } else if (!target.heads) {
        start.target = CLOSED;
        const [x, y] = start.points[start.points.length - 1], [topX, topY] = target.top;
        if ((x !== topX || y !== topY) && y <= topY) start.points.push(target.top);
        done.push(start);
      } else {
        for (const head of target.heads.filter((other) => meet(start, other, target.folded))) {
          const whole = joined(start, head, target.folded);
          (head.target === EXIT ? target.tails : done).push(whole);
        }
      }
    }
  }
  return done;
}

function common(one, other) {
  return [...one.leaves].filter((edge) => other.leaves.has(edge));
}

function meet(one, other, folded) {
  return folded || common(one, other).length > 0;
}

function joined(one, other) {
  let leaves = common(one, other);
  if (!leaves.length) leaves = one.source === CLOSED ? other.leaves : one.leaves;
  const role = one.role !== "flow" ? one.role : other.role;
  return wire([...one.points, ...other.points], leaves, role, one.source, other.target);
}

function straight(points) {
  const found = [], round = (value) => Math.round(value * 10) / 10;
  for (const [px, py] of points) {
    const [x, y] = [round(px), round(py)], end = found.length - 1;
    if (end >= 0 && found[end][0] === x && found[end][1] === y) continue;
    if (end > 0) {
      const [[ax, ay], [bx, by]] = [found[end - 1], found[end]];
      const down = ax === bx && bx === x && (by - ay) * (y - by) >= 0;
      if (down || (ay === by && by === y && (bx - ax) * (x - bx) >= 0)) found.pop();
    }
    found.push([x, y]);
  }
  return found;
}
