// Draws the Vega-Lite charts that answers come with: bars, or lines over time. Only what those use
// of the format: a library for all of it would be ten times this page.

interface Channel { field: string; type: string }
export interface Chart {
  mark: { type: "line" | "bar" }; data: { values: Record<string, unknown>[] };
  encoding: { y: Channel; x?: Channel; color?: Channel };
}

const COLOURS = ["#0b6e5f", "#c4681f", "#3f66c9", "#9a3d8f", "#5d7d1d", "#b3432b", "#1b8aa6", "#7a5cc2"];
const W = 760, H = 260, LEFT = 70, BOTTOM = 46, TOP = 8, MOST = 400;

function svg(tag: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text) made.textContent = text;
  return made;
}

/** Round steps that cover a span, some five of them. */
function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const made: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) made.push(at);
  return made;
}

function short(value: number): string {
  return Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(Number(value.toFixed(6)));
}

/** The chart, its colours by name, or nothing when there is nothing to draw. */
export function plot(chart: Chart): { drawn: SVGElement; legend: [string, string][] } | undefined {
  const { x, y, color } = chart.encoding;
  const rows = chart.data.values.filter((row) => typeof row[y.field] === "number").slice(0, MOST);
  if (!rows.length || !x) return undefined;
  const names = [...new Set(rows.map((row) => String(row[x.field])))];
  const series = color ? [...new Set(rows.map((row) => String(row[color.field])))].slice(0, COLOURS.length) : [""];
  const values = rows.map((row) => row[y.field] as number);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (chart.mark.type === "bar") [low, high] = [Math.min(0, low), Math.max(0, high)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const scale = (value: number) => TOP + (H - TOP - BOTTOM) * (1 - (value - low) / (high - low));
  const band = (W - LEFT) / names.length;
  const drawn = svg("svg", { class: "plot", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${y.field} by ${x.field}` });
  for (const at of ticks(low, high)) {
    drawn.append(svg("line", { class: Math.abs(at) < 1e-12 ? "zero" : "axis", x1: LEFT, x2: W, y1: scale(at), y2: scale(at) }),
      svg("text", { x: LEFT - 6, y: scale(at) + 4, "text-anchor": "end" }, short(at)));
  }
  const every = Math.ceil(names.length / 12);
  names.forEach((name, number) => {
    if (number % every === 0) drawn.append(svg("text", { x: LEFT + band * (number + 0.5), y: H - BOTTOM + 18, "text-anchor": "middle" }, name.slice(0, Math.max(6, Math.floor(90 / Math.min(names.length, 12))))));
  });
  drawn.append(svg("text", { x: LEFT + (W - LEFT) / 2, y: H - 6, "text-anchor": "middle" }, x.field));
  series.forEach((one, number) => {
    const mine = rows.filter((row) => !color || String(row[color.field]) === one);
    const at = (row: Record<string, unknown>) => LEFT + band * (names.indexOf(String(row[x.field])) + 0.5);
    const fill = COLOURS[number % COLOURS.length]!;
    if (chart.mark.type === "line") {
      const points = mine.map((row) => `${at(row)},${scale(row[y.field] as number)}`).join(" ");
      drawn.append(svg("polyline", { points, fill: "none", stroke: fill, "stroke-width": 2 }));
      return;
    }
    const width = Math.max(1, (band * 0.8) / series.length);
    for (const row of mine) {
      const value = row[y.field] as number;
      const bar = svg("rect", { x: at(row) - band * 0.4 + number * width, width, y: Math.min(scale(value), scale(0)), height: Math.abs(scale(value) - scale(0)), fill });
      bar.append(svg("title", {}, `${String(row[x.field])}${one && `, ${one}`}: ${value}`));
      drawn.append(bar);
    }
  });
  return { drawn, legend: color ? series.map((one, number) => [one, COLOURS[number % COLOURS.length]!]) : [] };
}
