import { escapeHtml } from "./html.js";

/** A line of a chart. */
export interface ChartLine {
  readonly name: string;
  /** Number of its colour, 0 to 3. */
  readonly colour: number;
  /** Drawn dashed: the run that is compared with. */
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a chart shows. */
export interface Chart {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** Texts of values of x; ticks stand at whole ones. */
  readonly xText: (x: number) => string;
  readonly yText: (y: number) => string;
  /** Whether y goes by tenfolds; what is 0 is left out then. */
  readonly logarithmic: boolean;
}

const WIDTH = 900;
const HEIGHT = 300;
const LEFT = 76;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 30;
const MOST_TICKS = 10;

type Scale = (value: number) => number;

interface Axis {
  readonly scale: Scale;
  readonly ticks: readonly number[];
}

/** Draws a chart as SVG that needs no script. */
export function chartSvg(chart: Chart): string {
  const { title, lines, xText, yText, logarithmic } = chart;
  const drawn = lines.map((line) => ({
    ...line,
    points: line.points.filter(([, y]) => !logarithmic || y > 0),
  }));
  const points = drawn.flatMap((line) => line.points);
  const x = linearAxis(
    points.map(([value]) => value),
    [LEFT, WIDTH - RIGHT],
    true,
  );
  const ys = points.map(([, value]) => value);
  const range: readonly [number, number] = [HEIGHT - BOTTOM, TOP];
  const y = logarithmic ? logarithmicAxis(ys, range) : linearAxis([0, ...ys], range, false);
  const grid = y.ticks.map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y, tick)}" y2="${at(y, tick)}"/>` +
      `<text x="${LEFT - 8}" y="${at(y, tick)}" dy="4" text-anchor="end">${escapeHtml(yText(tick))}</text>`,
  );
  const below = x.ticks.map(
    (tick) =>
      `<text x="${at(x, tick)}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(xText(tick))}</text>`,
  );
  return [
    `<figure><figcaption>${escapeHtml(title)}</figcaption>${legend(drawn)}`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">`,
    ...grid,
    ...below,
    ...drawn.map((line) => lineSvg(line, x, y, chart)),
    "</svg></figure>",
  ].join("\n");
}

function legend(lines: readonly ChartLine[]): string {
  const items = lines.map(
    ({ name, colour, dashed }) =>
      `<li><span class="key k${colour}${dashed === true ? " dashed" : ""}"></span>${escapeHtml(name)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}

function lineSvg(line: ChartLine, x: Axis, y: Axis, { xText, yText }: Chart): string {
  const { name, colour, dashed, points } = line;
  const places = points.map(([px, py]) => `${at(x, px)},${at(y, py)}`);
  // A point by itself draws no line; all of them say what they are to who points at them.
  const dots = points.map(([px, py], index) => {
    const [cx = "", cy = ""] = places[index]?.split(",") ?? [];
    const text = `${name}, ${xText(px)}: ${yText(py)}`;
    const shown = points.length === 1 ? " alone" : "";
    return `<circle class="dot k${colour}${shown}" cx="${cx}" cy="${cy}" r="4"><title>${escapeHtml(text)}</title></circle>`;
  });
  const style = `line k${colour}${dashed === true ? " dashed" : ""}`;
  return `<polyline class="${style}" points="${places.join(" ")}"/>${dots.join("")}`;
}

function at({ scale }: Axis, value: number): string {
  return scale(value).toFixed(1);
}

function between([from, to]: readonly [number, number], low: number, high: number): Scale {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function linearAxis(
  values: readonly number[],
  range: readonly [number, number],
  whole: boolean,
): Axis {
  const [low, high] = extent(values);
  const rough = (high - low || 1) / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= rough) ?? rough;
  const step = whole ? Math.max(1, found) : found;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  const ticks = Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step);
  return { scale: between(range, low, high), ticks };
}

function logarithmicAxis(values: readonly number[], range: readonly [number, number]): Axis {
  const [low, high] = extent(values);
  const from = Math.floor(Math.log10(Math.max(low, 1)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(high, 1))));
  const scale = between(range, from, to);
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  return { scale: (value) => scale(Math.log10(value)), ticks };
}

// Not by Math.min(...values): a long run has more values than a call may have arguments.
function extent(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  return values.reduce<readonly [number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
