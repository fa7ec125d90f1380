"use strict";
const { title, profile } = JSON.parse(document.getElementById("data").textContent);
const COLORS = {
  issue: "#3b6fb6", memory: "#d98032", dependence: "#b0567f", fetch: "#8a6cc2", branch: "#c94f4f", flash: "#4d9a6a",
  data: "#2f9aa0", divide: "#8a8f3a", exception: "#55606e", fp: "#a0703c", bank: "#6b7a8f", mispredict: "#e0604c",
};
const MEANINGS = {
  issue: "instructions themselves", memory: "waiting for loads and stores", dependence: "waiting for a result",
  fetch: "waiting for instructions", branch: "refill behind branches", flash: "instructions late from flash or cache",
  data: "data late from flash, cache or bus", divide: "long divisions", fp: "floating-point unit busy",
  bank: "accesses to one bank", mispredict: "wrongly predicted branches", exception: "exception entry and return, sleep",
};
const byId = (id) => document.getElementById(id);
const count = (n) => n.toLocaleString("en-US");
const share = (part) => `${((100 * part) / Math.max(1, profile.cycles)).toFixed(1)} %`;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function segment(width, color, hint) {
  const element = make("div");
  element.style.width = `${width}%`;
  element.style.background = color;
  element.title = hint;
  return element;
}

function figure(label, value) {
  const box = make("div", "figure");
  box.append(make("b", "", value), make("span", "", label));
  byId("figures").append(box);
}

function stacked(className, stalls, total, scale) {
  const bar = make("div", className);
  for (const [cause, cycles] of Object.entries(stalls))
    bar.append(segment((scale * cycles) / Math.max(1, total), COLORS[cause] || "#999", `${cause}: ${count(cycles)}`));
  return bar;
}

function row(name, note, bar, value, detail) {
  const line = make("div", "row"), label = make("div", "name", name), figures = make("div", "value", value);
  label.title = name;
  if (note) label.append(" ", make("small", "", note));
  const track = make("div", "track");
  track.append(bar);
  figures.append(make("small", "", detail));
  line.append(label, track, figures);
  return line;
}

function plain(cycles, largest) {
  const bar = make("div", "bar");
  bar.append(segment((100 * cycles) / Math.max(1, largest), "var(--bar)", count(cycles)));
  return bar;
}

function fill(id, rows, build) {
  if (!rows.length && byId(`${id}-section`)) byId(`${id}-section`).remove();
  const largest = Math.max(1, ...rows.map((item) => item.cycles || 0));
  if (rows.length) byId(id).append(...rows.map((item) => build(item, largest)));
}

document.title = `${title} · edgetx profile`;
byId("title").textContent = title;
byId("subtitle").textContent =
  `${profile.target} · ${profile.core} at ${profile.clock_hz / 1e6} MHz · engine: ${profile.engine}`;
figure("cycles", count(profile.cycles));
if (profile.instructions !== null) figure("instructions", count(profile.instructions));
figure("milliseconds", (profile.latency_us / 1000).toFixed(3));
if (profile.instructions !== null) figure("cycles per instruction", (profile.cycles / Math.max(1, profile.instructions)).toFixed(3));
if (profile.stack_bytes != null) figure("bytes of stack", count(profile.stack_bytes));
if (profile.energy_uj !== null) figure("µJ, whole board", profile.energy_uj.toFixed(1));

const stalls = profile.stalls || {};
byId("stalls").append(stacked("stack", stalls, profile.cycles, 100));
const legend = make("ul", "legend");
for (const [cause, cycles] of Object.entries(stalls)) {
  const item = make("li"), key = make("i");
  key.style.background = COLORS[cause] || "#999";
  item.append(key, `${cause} ${share(cycles)} `, make("small", "", MEANINGS[cause] || ""));
  legend.append(item);
}
byId("stalls").append(legend);

const bars = (layer, largest) =>
  Object.keys(layer.stalls || {}).length ? stacked("bar", layer.stalls, largest, 100) : plain(layer.cycles, largest);
fill("layers", profile.layers, (layer, largest) =>
  row(layer.name, layer.op, bars(layer, largest), count(layer.cycles),
    layer.macs ? `${share(layer.cycles)}, ${(layer.cycles / layer.macs).toFixed(2)} per MAC` : share(layer.cycles)));
fill("functions", profile.functions.slice(0, 40), (item, largest) =>
  row(item.name, "", plain(item.cycles, largest), count(item.cycles), `${share(item.cycles)}, ${count(item.calls)} ${item.calls === 1 ? "call" : "calls"}`));
fill("lines", (profile.lines || []).slice(0, 40), (item, largest) =>
  row(`${item.file}:${item.line}`, "", plain(item.cycles, largest), count(item.cycles), share(item.cycles)));
const traffic = (profile.memory || []).map((item) => ({ ...item, cycles: item.read_bytes + item.written_bytes }));
fill("memory", traffic, (item, largest) =>
  row(item.region, "", plain(item.cycles, largest), `${count(item.read_bytes)} B`, `${count(item.written_bytes)} B written`));

const v = profile.validation;
byId("validation").textContent = profile.engine === "estimate"
  ? `Estimate: mean distance from the simulator ${(100 * v.mape).toFixed(1)} %, worst ${(100 * v.worst).toFixed(1)} % over ${v.cases} models`
  : v.cases
  ? `Cycle model of ${profile.core}: mean error ${(100 * v.mape).toFixed(1)} %, worst ${(100 * v.worst).toFixed(1)} % over ${v.cases} measurements (${v.source})`
  : `Cycle model of ${profile.core}: not yet compared with silicon${v.source ? `; it rests on ${v.source}` : ""}`;
