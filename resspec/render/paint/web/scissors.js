// A tall piece cut into columns, at any height where lines are all that crosses it. As `scissors.py`.
"use strict";

const GUTTER = 46, BEST = 1.35, COLUMNS = 40, AWAY = 8, ABOVE = 6, LEAST = 4, SHORT = 0.8;

const lowerThan = (places, y) => countBelow(places, (place) => place < y);
const upTo = (places, y) => countBelow(places, (place) => place <= y);

// How many of the ascending places hold, the first ones doing so.
function countBelow(places, holds) {
  let low = 0, high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(places[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cut(strip) {
  const places = placesOf(strip), lines = crossingOf(strip, places);
  let best = null, least = Infinity;
  for (let count = 1; count <= COLUMNS; count++) {
    const cuts = cutsOf(strip.height, places, lines, count);
    if (cuts.length + 1 < count) break;
    const shape = pageShape(strip, cuts.map((k) => places[k]), cuts.map((k) => lines[k]));
    const badness = Math.max(shape / BEST, BEST / shape);
    if (badness < least) [best, least] = [cuts, badness];
  }
  return cutColumns(strip, best.map((k) => places[k]));
}

function placesOf(strip) {
  const busy = [
    ...strip.drawn.map((one) => [one.y, one.y + one.height]),
    ...strip.texts.map((text) => [text.y - 0.76 * text.size, text.y + 0.2 * text.size]),
  ];
  for (const [[, ay], [, by]] of stretches(strip.wires)) if (ay === by) busy.push([ay, ay]);
  busy.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const found = [];
  let end = Infinity;
  for (const [low, high] of busy) {
    if (low - end >= LEAST) found.push((low + end) / 2);
    end = end === Infinity ? high : Math.max(end, high);
  }
  return found;
}

function stretches(wires) {
  return wires.flatMap(({ points }) => points.slice(1).map((point, k) => [points[k], point]));
}

// The stretches downwards: x, and y of both ends.
function falls(wires) {
  const downwards = stretches(wires).filter(([[, ay], [, by]]) => ay < by);
  return downwards.map(([[x, ay], [, by]]) => [Math.round(x * 10) / 10, ay, by]);
}

// How many lines beside each other cross every place.
function crossingOf(strip, places) {
  const spans = new Map(), steps = new Array(places.length + 1).fill(0);
  for (const [x, low, high] of falls(strip.wires)) {
    const [first, last] = [upTo(places, low), upTo(places, high)];
    if (first >= last) continue;
    if (!spans.has(x)) spans.set(x, []);
    spans.get(x).push([first, last]);
  }
  for (const own of spans.values()) {
    let end = -1;
    for (const [first, last] of own.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      if (last <= end) continue;
      steps[Math.max(first, end)]++;
      steps[last]--;
      end = last;
    }
  }
  let total = 0;
  return steps.slice(0, places.length).map((step) => (total += step));
}

function cutsOf(tall, places, lines, count) {
  let low = tall / count, high = tall, best = filled(tall, places, lines, high);
  while (high - low > 1) {
    const middle = (low + high) / 2, cuts = filled(tall, places, lines, middle);
    if (cuts.length < count) [best, high] = [cuts, middle];
    else low = middle;
  }
  return best;
}

// Cuts so that columns have at most that height: each where the fewest lines cross, as late as can be.
function filled(tall, places, lines, limit) {
  const found = [];
  let start = 0, after = 0;
  while (tall - start > limit && after < places.length) {
    const last = Math.max(upTo(places, start + limit), after + 1);
    const first = Math.min(Math.max(lowerThan(places, start + limit * SHORT), after), last - 1);
    let best = first;
    for (let k = first; k < last; k++) if (lines[k] <= lines[best]) best = k;
    found.push(best);
    [start, after] = [places[best], best + 1];
  }
  return found;
}

function pageShape(strip, cuts, lines) {
  const [left, right] = sidesOf(strip, cuts), ends = [...cuts, strip.height];
  const wide = sum(left.map((low, k) => right[k] - low)) + sum(lines.map((count) => GUTTER + SLOT * (count - 1)));
  const tall = most(ends.map((end, k) => end - (k ? cuts[k - 1] : 0)));
  return wide / Math.max(1, tall + 2 * SLOT * most(lines));
}

// The left and right ends of every column.
function sidesOf(strip, cuts) {
  const left = new Array(cuts.length + 1).fill(Infinity), right = left.map(() => -Infinity);
  const reach = (column, low, high) => {
    left[column] = Math.min(left[column], low);
    right[column] = Math.max(right[column], high);
  };
  for (const one of strip.drawn) reach(upTo(cuts, one.y), one.x, one.x + one.width);
  for (const text of strip.texts) reach(upTo(cuts, text.y), text.x, text.x + text.wide);
  for (const [[ax, ay], [bx, by]] of stretches(strip.wires)) {
    const end = upTo(cuts, Math.max(ay, by));
    for (let k = upTo(cuts, Math.min(ay, by)); k <= end; k++) reach(k, Math.min(ax, bx), Math.max(ax, bx));
  }
  return [left, right];
}

// The columns beside each other, with the lines between them.
function cutColumns(strip, cuts) {
  const [left, right] = sidesOf(strip, cuts), down = falls(strip.wires), starts = [0, ...cuts], across = [];
  const crossing = cuts.map((y) => {
    return [...new Set(down.filter(([, low, high]) => low < y && y <= high).map(([x]) => x))].sort((a, b) => a - b);
  });
  const over = SLOT * (most(crossing.map((one) => one.length), 1) - 1);
  let width = 0;
  starts.forEach((_, k) => {
    across.push(width - left[k]);
    width += right[k] - left[k];
    if (k < cuts.length) width += GUTTER + SLOT * (crossing[k].length - 1);
  });
  const at = (k, [x, y]) => [x + across[k], y - starts[k] + over];
  // From the end of a column to the top of the next.
  const led = (k, x) => {
    const rank = crossing[k].indexOf(Math.round(x * 10) / 10), turn = SLOT * (crossing[k].length - 1 - rank);
    const gutter = across[k] + right[k] + GUTTER / 2 + turn, above = over - ABOVE - SLOT * rank;
    const below = at(k, [0, cuts[k]])[1] + AWAY + turn;
    return [[x + across[k], below], [gutter, below], [gutter, above], [x + across[k + 1], above]];
  };
  for (const one of strip.wires) {
    one.points = one.points.flatMap(([x, y], k) => {
      const column = upTo(cuts, y), found = [];
      for (let passed = k ? upTo(cuts, one.points[k - 1][1]) : column; passed < column; passed++) found.push(...led(passed, x));
      return [...found, at(column, [x, y])];
    });
  }
  const whole = pieceOf(width, 0, strip.axis + across[0], strip.drawn, strip.wires);
  for (const one of strip.drawn) {
    const k = upTo(cuts, one.y);
    moved(pieceOf(0, 0, 0, [one]), across[k], over - starts[k]);
  }
  whole.texts = strip.texts.flatMap((text) => {
    const k = upTo(cuts, text.y);
    return movedTexts([text], across[k], over - starts[k]);
  });
  const ends = [...cuts, strip.height];
  whole.height = over + most(ends.map((end, k) => end - starts[k] + (k < cuts.length ? AWAY + SLOT * crossing[k].length : 0)));
  return whole;
}
