// What the side panel says of a cell, and what share of the whole it is.
"use strict";

const BINS = [0, 0.001, 0.01, 0.05, 0.15];

const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");

function scaled(value) {
  for (const [power, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= power) return `${Number((value / power).toPrecision(3))} ${unit}`;
  }
  return String(value);
}

const percent = (share) => (share >= 0.0995 ? `${Math.round(share * 100)} %` : `${Number((share * 100).toPrecision(2))} %`);

// Running sums of a number that every node has; null where one has none.
function sumsOf(net, name) {
  const sums = [0];
  for (const node of net.nodes) {
    const last = sums[sums.length - 1];
    sums.push(last === null || node[name] === null ? null : last + node[name]);
  }
  return sums;
}

function costsOf(net) {
  const names = ["params", "frozen", "macs", "flops", "bytes"];
  return Object.fromEntries(names.map((name) => [name, sumsOf(net, name)]));
}

// Of the nodes from `first` on, null if it is not known.
function total(costs, name, first, count) {
  const high = costs[name][first + count], low = costs[name][first];
  return high === null ? null : high - low;
}

// Of all the blocks that a cell is drawn for.
function inAll(net, costs, name, cell) {
  if (cell.first < 0) return 0;
  const parts = stands(cell).map((first) => total(costs, name, first, cell.last - cell.first + 1));
  return parts.includes(null) ? null : sum(parts);
}

function shareOf(net, costs, name, cell) {
  const whole = costs[name][net.nodes.length], own = inAll(net, costs, name, cell);
  return !whole || own === null ? 0 : own / whole;
}

function heatClass(share) {
  return `heat${BINS.filter((bin) => share > bin).length}`;
}

// The rows of the panel: [name, value, share or null].
function rowsOf(net, costs, cell) {
  if (cell.first < 0) return [];
  const node = cell.block ? null : net.nodes[cell.first];
  const group = cell.block ? net.groups.find((one) => one.path === cell.path) : null;
  const count = cell.last - cell.first + 1, rows = [];
  const cost = (name, label, unit) => {
    const value = total(costs, name, cell.first, count), all = inAll(net, costs, name, cell), times = stands(cell).length;
    const words = times > 1 ? `${unit(value)}\n${unit(all)} in all ${times} blocks` : unit(value);
    if (value) rows.push([label, words, name === "params" || name === "macs" ? shareOf(net, costs, name, cell) : null]);
  };
  if (node) rows.push(["op", node.kind, null]);
  else if (cell.id) rows.push(["block", cell.kind, null], ["nodes", grouped(count), null]);
  const inputs = node ? node.inputs.map(([source, output]) => net.nodes[source].shapes[output]) : [];
  if (inputs.length) rows.push([inputs.length > 1 ? "inputs" : "input", inputs.join("\n"), null]);
  if (cell.id) rows.push(["output", node ? node.shapes.join("\n") : cell.shape, null]);
  if (node) rows.push(["type", node.dtype, null]);
  cost("params", "parameters", grouped);
  cost("frozen", "not trained", grouped);
  cost("macs", "MACs", scaled);
  cost("flops", "FLOPs", scaled);
  cost("bytes", "activations", (value) => `${scaled(value)}B`);
  const field = net.nodes[cell.last].field;
  if (field && cell.id) rows.push(["receptive field", field, null]);
  if (node && node.shares) rows.push(["weights of", node.shares, null]);
  const place = (node || group || {}).place;
  if (place) rows.push(["source", place, null]);
  return rows;
}

function argumentsOf(net, cell) {
  if (cell.first < 0) return [];
  const group = net.groups.find((one) => one.path === cell.path);
  return cell.block ? (group ? group.arguments : []) : net.nodes[cell.first].arguments;
}
