"use strict";
const { title, stages, found } = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const count = (n) => (n === null || n === undefined ? "–" : Math.round(n).toLocaleString("en-US"));
const percent = (p) => (p === null || p === undefined ? "–" : `${(100 * p).toFixed(2)} %`);
const COLUMNS = [
  ["stage", (s) => s.name],
  ["accuracy", (s) => percent(s.accuracy)],
  ["95 %", (s) => (s.interval_95 ? `${(100 * s.interval_95[0]).toFixed(1)}–${(100 * s.interval_95[1]).toFixed(1)}` : "")],
  ["parameters", (s) => count(s.parameters)],
  ["MACs", (s) => count(s.macs)],
  ["flash", (s) => count(s.flash_bytes)],
  ["RAM", (s) => count(s.ram_bytes)],
  ["cycles", (s) => count(s.cycles)],
  ["µJ", (s) => count(s.energy_uj)],
];
const COSTS = { cycles: "Cycles", flash_bytes: "Flash, bytes", ram_bytes: "RAM, bytes", macs: "Multiply-accumulates" };

function svg(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function table() {
  const head = byId("stages").createTHead().insertRow();
  for (const [name] of COLUMNS) head.append(Object.assign(document.createElement("th"), { textContent: name }));
  const body = byId("stages").createTBody();
  for (const stage of stages) {
    const row = body.insertRow();
    for (const [, cell] of COLUMNS) row.insertCell().textContent = cell(stage);
  }
}

/* One line per stage: its name above, a mark or bar below, its value at the right. */
function lines(rows, draw, value) {
  const height = 38 * rows.length;
  const picture = svg("svg", { viewBox: `0 0 600 ${height}`, role: "img" });
  rows.forEach((row, i) => {
    picture.append(svg("text", { class: "name", x: 0, y: 38 * i + 14 }, row.name));
    picture.append(svg("text", { x: 600, y: 38 * i + 14, "text-anchor": "end" }, value(row)));
    draw(picture, row, 38 * i + 26);
  });
  return picture;
}

function accuracies() {
  const rows = stages.filter((s) => s.accuracy !== null && s.accuracy !== undefined);
  const lows = rows.map((s) => (s.interval_95 ? s.interval_95[0] : s.accuracy));
  const low = Math.max(0, Math.min(...lows) - 0.01), x = (p) => (600 * (p - low)) / (1 - low || 1);
  const draw = (picture, stage, y) => {
    picture.append(svg("line", { class: "grid", x1: 0, x2: 600, y1: y, y2: y }));
    if (stage.interval_95) {
      const [from, to] = stage.interval_95.map(x);
      picture.append(svg("line", { class: "mark", "stroke-width": 3, x1: from, x2: to, y1: y, y2: y }));
    }
    picture.append(svg("circle", { class: "mark", cx: x(stage.accuracy), cy: y, r: 5 }));
  };
  byId("accuracy").append(lines(rows, draw, (s) => percent(s.accuracy)));
}

function costs() {
  for (const [key, name] of Object.entries(COSTS)) {
    const rows = stages.filter((s) => s[key]);
    if (!rows.length) continue;
    const largest = Math.max(...rows.map((s) => s[key]));
    const draw = (picture, stage, y) =>
      picture.append(svg("rect", { class: "mark", x: 0, y: y - 4, width: (600 * stage[key]) / largest, height: 8, rx: 2 }));
    byId("costs").append(Object.assign(document.createElement("h2"), { textContent: name }));
    byId("costs").append(lines(rows, draw, (s) => count(s[key])));
  }
}

function scatter() {
  if (!found.length) return byId("search").remove();
  const front = found.filter((a) => !found.some((b) => b !== a && b.cycles <= a.cycles && b.accuracy >= a.accuracy
    && (b.cycles < a.cycles || b.accuracy > a.accuracy)));
  const cycles = found.map((f) => f.cycles), shares = found.map((f) => f.accuracy);
  const most = Math.max(...cycles), least = Math.min(...shares), best = Math.max(...shares);
  const x = (c) => 50 + (530 * c) / most, y = (p) => 280 - (260 * (p - least)) / (best - least || 1);
  const picture = svg("svg", { viewBox: "0 0 600 320", role: "img" });
  for (const p of [least, best]) picture.append(svg("text", { x: 0, y: y(p) + 4 }, `${(100 * p).toFixed(1)} %`));
  picture.append(svg("line", { class: "grid", x1: 50, x2: 580, y1: 290, y2: 290 }));
  picture.append(svg("text", { x: 580, y: 308, "text-anchor": "end" }, `${count(most)} cycles`));
  for (const one of found) {
    const kind = `mark ${one.over <= 1 ? "" : "open"} ${front.includes(one) ? "front" : ""}`;
    const dot = svg("circle", { class: kind, cx: x(one.cycles), cy: y(one.accuracy), r: 5 });
    const options = Object.entries(one.options).map((pair) => pair.join(" ")).join(", ");
    dot.append(svg("title", {}, `${options}: ${percent(one.accuracy)}, ${count(one.cycles)} cycles`));
    picture.append(dot);
  }
  byId("scatter").append(picture);
}

byId("title").textContent = title;
table();
accuracies();
costs();
scatter();
