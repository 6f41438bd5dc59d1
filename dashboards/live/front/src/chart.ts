// Candles of one feed with signals, fills, positions, orders and indicators, drawn by lightweight-charts.

import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineSeries, LineStyle, createChart, createSeriesMarkers,
  type IChartApi, type IPriceLine, type ISeriesApi, type ISeriesMarkersPluginApi, type SeriesMarker, type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { Candles } from "./candles";
import { el, fill } from "./dom";
import { average, bands, rsi, type Points } from "./indicators";
import type { Bar, Fill, OrderItem, Position, Quote, SignalItem, Store } from "./store";

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// light-dark() is resolved only where it is used as a colour, so an element has to use it.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
export function colour(name: string): string {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** Colours, font and grid of every chart of the page. */
export function look() {
  const [text, line] = [colour("--muted"), colour("--line")];
  return {
    layout: { background: { type: ColorType.Solid as const, color: "transparent" }, textColor: text, fontFamily: css("--mono"), fontSize: 11, panes: { separatorColor: line } },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
  };
}

type Line = ISeriesApi<"Line">;
type Regime = [since: number, name: string];

export class Chart {
  private readonly chart: IChartApi;
  private readonly series: ISeriesApi<"Candlestick">;
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private lines: IPriceLine[] = [];
  private studies: Line[] = []; // average, upper, lower, RSI; none while they are hidden
  private readonly ribbon: ISeriesApi<"Histogram">;
  private regimes: Regime[] = []; // where it changed, oldest first
  private readonly legend = el("p", { class: "legend" });
  private candles: Candles;
  private bars: Bar[] = [];
  private span = 60;
  private readonly names: Record<number, string>;

  constructor(place: HTMLElement, private readonly store: Store, spans: [number, string][]) {
    this.names = Object.fromEntries(spans);
    place.append(this.legend);
    fill(this.legend, "No tick yet. Candles begin with the first one; is the collector up?");
    this.chart = createChart(place, { autoSize: true, crosshair: { mode: CrosshairMode.Normal }, timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4 } });
    this.series = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.markers = createSeriesMarkers(this.series, []);
    this.ribbon = this.chart.addSeries(HistogramSeries, { priceScaleId: "regime", priceLineVisible: false, lastValueVisible: false, base: 0 });
    this.ribbon.priceScale().applyOptions({ scaleMargins: { top: 0.975, bottom: 0 } });
    setInterval(() => void this.ask(), 60_000);
    this.candles = { feed: "" } as Candles;
    this.recolour();
    this.chart.subscribeCrosshairMove((at) => this.describe(at.seriesData.get(this.series) as Candle | undefined));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && range.from < 20 && this.bars.length) void this.candles.older();
    });
  }

  /** Symbol, and the candle under the pointer or the newest. */
  private describe(under?: Candle): void {
    const newest = this.bars.at(-1);
    const it = under ?? (newest && candle(newest));
    const digits = this.quote()?.digits ?? 5;
    const part = (name: string, value: number) => [el("i", {}, name), value.toFixed(digits)];
    const name = [el("b", {}, this.candles.feed.slice(this.candles.feed.indexOf("/") + 1)), ` ${this.names[this.span]}, bid`];
    if (!it) return this.candles.feed ? fill(this.legend, ...name, " no candle yet") : undefined;
    fill(this.legend, ...name,
      el("span", { class: it.close >= it.open ? "up" : "down" }, ...part("O", it.open), ...part("H", it.high), ...part("L", it.low), ...part("C", it.close)),
      el("span", { class: "keys" }, "▲▼ fill  ● signal", this.studies.length ? "  MA 20 · Bollinger 20, 2 · RSI 14" : "", this.regimes.length ? `  ▂ ${this.regimes.at(-1)![1]}` : ""));
  }

  private quote(): Quote | undefined {
    return this.store.all<Quote>("quote").get(this.candles.feed);
  }

  recolour(): void {
    this.chart.applyOptions(look());
    const [up, down] = [colour("--up"), colour("--down")];
    this.series.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    if (this.studies.length) this.study(true);
    this.colourRegimes();
    if (this.candles.feed) this.mark();
  }

  /** Average and Bollinger bands over the candles, RSI below; or none of them. */
  study(shown: boolean): void {
    for (const line of this.studies) this.chart.removeSeries(line);
    const [accent, band, index] = [colour("--warn"), colour("--muted"), colour("--accent")];
    const add = (color: string, pane = 0) => this.chart.addSeries(LineSeries, { color, lineWidth: 1, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false }, pane);
    this.studies = shown ? [add(accent), add(band), add(band), add(index, 1)] : [];
    if (shown) {
      for (const price of [30, 70]) this.studies[3]!.createPriceLine({ price, color: band, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: true });
      this.chart.panes()[0]?.setStretchFactor(4);
      this.chart.panes()[1]?.setStretchFactor(1);
    }
    this.measure();
    this.reveal();
    this.describe();
  }

  /** Indicators of every candle, or, after a tick, of the newest alone. */
  private measure(newest = false): void {
    if (!this.studies.length) return;
    const bars = newest ? this.bars.slice(-120) : this.bars;
    const closes = bars.map((bar) => bar[4]);
    const { upper, lower } = bands(closes);
    const digits = this.quote()?.digits ?? 5;
    const all: Points[] = [average(closes), upper, lower, rsi(closes)];
    this.studies.forEach((line, i) => {
      const points = all[i]!.map((value, at) => (value === undefined ? { time: bars[at]![0] as UTCTimestamp } : { time: bars[at]![0] as UTCTimestamp, value }));
      if (!newest) {
        line.applyOptions({ priceFormat: i < 3 ? { type: "price", precision: digits, minMove: 10 ** -digits } : { type: "price", precision: 0, minMove: 1 } });
        line.setData(points);
      } else if (points.length) line.update(points.at(-1)!);
    });
  }

  show(feed: string, span = this.span): void {
    this.span = span;
    this.candles = new Candles(this.store, feed, span, (older) => older && this.redraw(true));
    const digits = this.quote()?.digits ?? 5;
    this.series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    this.chart.applyOptions({ timeScale: { secondsVisible: span < 60 } });
    this.regimes = [];
    void this.ask();
    this.redraw(false);
    this.reveal();
  }

  /** In which regime the feed was. Without the warehouse there is no ribbon. */
  private async ask(): Promise<void> {
    const feed = this.candles.feed;
    if (!feed) return;
    try {
      const answer = await fetch(`/api/regimes?${new URLSearchParams({ feed })}`);
      if (!answer.ok || feed !== this.candles.feed) return;
      this.regimes = (await answer.json()) as Regime[];
      this.colourRegimes();
      this.describe();
    } catch {
      // The page says elsewhere that its server is away.
    }
  }

  /** Of each candle, what was known when it began; one bar of the ribbon each. */
  private colourRegimes(): void {
    const colours: Record<string, string> = { calm: colour("--up"), normal: colour("--flat"), wild: colour("--down") };
    let at = -1;
    this.ribbon.setData(this.bars.flatMap((bar) => {
      while (at + 1 < this.regimes.length && this.regimes[at + 1]![0] <= bar[0]) at++;
      const color = colours[this.regimes[at]?.[1] ?? ""];
      return color ? [{ time: bar[0] as UTCTimestamp, value: 1, color }] : [];
    }));
  }

  /** Everything anew; `stay`: what was in sight stays in sight, though older ones came. */
  private redraw(stay: boolean): void {
    const range = this.chart.timeScale().getVisibleRange();
    const before = this.bars.length;
    this.bars = this.candles.all();
    this.series.setData(this.bars.map(candle));
    this.measure();
    this.colourRegimes();
    if (stay && range && before > 60) this.chart.timeScale().setVisibleRange(range);
    else this.reveal();
    this.mark();
    this.describe();
  }

  update(changed: ReadonlyMap<string, ReadonlySet<string>>): void {
    if (this.span < 60) this.ticked(changed);
    else this.minutes(changed);
    if (["signal", "fill", "position", "order"].some((kind) => changed.has(kind))) this.mark();
  }

  private ticked(changed: ReadonlyMap<string, ReadonlySet<string>>): void {
    const quote = this.quote();
    if (!quote || !changed.get("quote")?.has(this.candles.feed)) return;
    this.step(this.candles.tick(quote));
  }

  private minutes(changed: ReadonlyMap<string, ReadonlySet<string>>): void {
    const names = [...(changed.get("bar") ?? [])].filter((name) => name.startsWith(`${this.candles.feed}|`));
    if (!names.length) return;
    const newest = this.bars.at(-1)?.[0] ?? 0;
    const late = names.some((name) => Number(name.slice(name.lastIndexOf("|") + 1)) < newest - 60);
    if (late || names.length > 5) this.redraw(true);
    else this.step(this.span === 60 ? this.store.all<Bar>("bar").get(names.sort().at(-1)!) : this.candles.all().at(-1));
  }

  /** The newest 90 candles; fewer keep the width of a sixtieth, so that two are no barn doors. */
  private reveal(): void {
    const bars = this.bars.length;
    const from = Math.min(Math.max(bars - 90, 0), bars - 60);
    this.chart.timeScale().setVisibleLogicalRange({ from, to: bars + 4 });
  }

  private step(bar: Bar | undefined): void {
    const newest = this.bars.at(-1);
    if (!bar || (newest && bar[0] < newest[0])) return;
    const begins = !newest || bar[0] > newest[0];
    if (begins) this.bars.push(bar);
    else this.bars[this.bars.length - 1] = bar;
    this.series.update(candle(bar));
    if (begins) this.colourRegimes();
    this.measure(true);
    this.describe();
  }

  private mark(): void {
    const [up, down, muted, accent, warn] = [colour("--up"), colour("--down"), colour("--muted"), colour("--accent"), colour("--warn")];
    const at = (us: number) => this.candles.start(Math.floor(us / 1e6)) as UTCTimestamp;
    // At most one mark of a kind and side in a candle: a column of them would hide the candles.
    const made = new Map<string, SeriesMarker<Time>>();
    const first = this.bars[0]?.[0] ?? Infinity; // earlier ones would pile up there
    const put = (kind: string, buy: boolean, marker: Omit<SeriesMarker<Time>, "position"> & { time: UTCTimestamp }) =>
      marker.time >= first && made.set(`${kind} ${buy} ${marker.time}`, { ...marker, position: buy ? "belowBar" : "aboveBar" } as SeriesMarker<Time>);
    for (const s of this.store.all<SignalItem>("signal").values())
      if (s.feed === this.candles.feed && s.side !== "flat")
        put("signal", s.side === "long", { time: at(s.time), shape: "circle", color: muted, size: 0.5 });
    for (const f of this.store.all<Fill>("fill").values())
      if (f.feed === this.candles.feed)
        put("fill", f.side === "buy", {
          time: at(f.time), shape: f.side === "buy" ? "arrowUp" : "arrowDown", color: f.side === "buy" ? up : down,
          text: ["entry", "horizon", "opposite"].includes(f.purpose) ? undefined : f.purpose || f.kind,
        });
    this.markers.setMarkers([...made.values()].sort((a, b) => Number(a.time) - Number(b.time)));
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = [];
    for (const p of this.store.all<Position>("position").values()) {
      if (p.feed !== this.candles.feed || p.volume === 0) continue;
      this.line(p.price, accent, `${p.volume > 0 ? "long" : "short"} ${Math.abs(p.volume).toFixed(2)}`);
      if (p.stop) this.line(p.stop, down, "S/L");
    }
    for (const o of this.store.all<OrderItem>("order").values())
      if (o.feed === this.candles.feed && o.price) this.line(o.price, warn, `${o.side} ${o.volume.toFixed(2)}`);
  }

  private line(price: number, color: string, title: string): void {
    this.lines.push(this.series.createPriceLine({ price, color, title, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: true }));
  }
}

type Candle = ReturnType<typeof candle>;

function candle(bar: Bar) {
  return { time: bar[0] as UTCTimestamp, open: bar[1], high: bar[2], low: bar[3], close: bar[4] };
}
