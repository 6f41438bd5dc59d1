// Candles of one feed with signals, fills, position and stop, drawn by lightweight-charts.

import {
  CandlestickSeries, ColorType, CrosshairMode, LineStyle, createChart, createSeriesMarkers,
  type IChartApi, type IPriceLine, type ISeriesApi, type ISeriesMarkersPluginApi, type SeriesMarker, type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { el, fill } from "./dom";
import type { Bar, Fill, Position, Quote, SignalItem, Store } from "./store";

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// light-dark() is resolved only where it is used as a colour, so an element has to use it.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
function colour(name: string): string {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

export class Chart {
  private readonly chart: IChartApi;
  private readonly series: ISeriesApi<"Candlestick">;
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private lines: IPriceLine[] = [];
  private readonly legend = el("p", { class: "legend" });
  private feed = "";
  private newest = 0;

  constructor(place: HTMLElement, private readonly store: Store) {
    place.append(this.legend);
    fill(this.legend, "No tick yet. Candles begin with the first one; is the collector up?");
    this.chart = createChart(place, { autoSize: true, timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4 } });
    this.series = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.markers = createSeriesMarkers(this.series, []);
    this.recolour();
    this.chart.subscribeCrosshairMove((at) => this.describe(at.seriesData.get(this.series) as Candle | undefined));
  }

  /** Symbol, and the candle under the pointer or the newest. */
  private describe(under?: Candle): void {
    const bar = this.store.all<Bar>("bar").get(`${this.feed}|${this.newest}`);
    const it = under ?? (bar && candle(bar));
    const digits = this.store.all<Quote>("quote").get(this.feed)?.digits ?? 5;
    const part = (name: string, value: number) => [el("i", {}, name), value.toFixed(digits)];
    if (!it) return;
    fill(this.legend, el("b", {}, this.feed.slice(this.feed.indexOf("/") + 1)), " 1 min, bid",
      el("span", { class: it.close >= it.open ? "up" : "down" }, ...part("O", it.open), ...part("H", it.high), ...part("L", it.low), ...part("C", it.close)),
      el("span", { class: "keys" }, "▲▼ fill  ● signal"));
  }

  recolour(): void {
    const [text, line, up, down] = [colour("--muted"), colour("--line"), colour("--up"), colour("--down")];
    this.chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: "transparent" }, textColor: text, fontFamily: css("--mono"), fontSize: 11 },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    this.series.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    if (this.feed) this.mark();
  }

  show(feed: string): void {
    this.feed = feed;
    const digits = this.store.all<Quote>("quote").get(feed)?.digits ?? 5;
    this.series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    const bars = this.bars();
    this.series.setData(bars);
    this.newest = Number(bars.at(-1)?.time ?? 0);
    this.reveal(bars.length);
    this.mark();
    this.describe();
  }

  update(changed: ReadonlyMap<string, ReadonlySet<string>>): void {
    const names = [...(changed.get("bar") ?? [])].filter((name) => name.startsWith(`${this.feed}|`));
    const late = names.some((name) => Number(name.slice(name.lastIndexOf("|") + 1)) < this.newest - 60);
    if (late || names.length > 5) {
      const [before, bars] = [this.series.data().length, this.bars()];
      this.series.setData(bars);
      if (bars.length > before + 5) this.reveal(bars.length); // the past came in
      this.mark();
    } else for (const name of names.sort()) this.step(this.store.all<Bar>("bar").get(name));
    if (["signal", "fill", "position"].some((kind) => changed.has(kind))) this.mark();
  }

  /** The newest 90 minutes; fewer keep the width of a sixtieth, so that two are no barn doors. */
  private reveal(bars: number): void {
    const from = Math.min(Math.max(bars - 90, 0), bars - 60);
    this.chart.timeScale().setVisibleLogicalRange({ from, to: bars + 4 });
  }

  private step(bar: Bar | undefined): void {
    if (!bar || bar[0] < this.newest) return;
    this.newest = bar[0];
    this.series.update(candle(bar));
    this.describe();
  }

  private bars() {
    return [...this.store.all<Bar>("bar")]
      .filter(([name]) => name.startsWith(`${this.feed}|`))
      .map(([, bar]) => candle(bar))
      .sort((a, b) => Number(a.time) - Number(b.time));
  }

  private mark(): void {
    const [up, down, muted, accent] = [colour("--up"), colour("--down"), colour("--muted"), colour("--accent")];
    const at = (us: number) => (Math.floor(us / 60e6) * 60) as UTCTimestamp;
    // At most one mark of a kind and side in a minute: a column of them would hide the candles.
    const made = new Map<string, SeriesMarker<Time>>();
    const first = Number(this.series.data().at(0)?.time ?? Infinity); // earlier ones would pile up there
    const put = (kind: string, buy: boolean, marker: Omit<SeriesMarker<Time>, "position"> & { time: UTCTimestamp }) =>
      marker.time >= first && made.set(`${kind} ${buy} ${marker.time}`, { ...marker, position: buy ? "belowBar" : "aboveBar" } as SeriesMarker<Time>);
    for (const s of this.store.all<SignalItem>("signal").values())
      if (s.feed === this.feed && s.side !== "flat")
        put("signal", s.side === "long", { time: at(s.time), shape: "circle", color: muted, size: 0.5 });
    for (const f of this.store.all<Fill>("fill").values())
      if (f.feed === this.feed)
        put("fill", f.side === "buy", {
          time: at(f.time), shape: f.side === "buy" ? "arrowUp" : "arrowDown", color: f.side === "buy" ? up : down,
          text: ["entry", "horizon", "opposite"].includes(f.purpose) ? undefined : f.purpose || f.kind,
        });
    this.markers.setMarkers([...made.values()].sort((a, b) => Number(a.time) - Number(b.time)));
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = [];
    for (const p of this.store.all<Position>("position").values()) {
      if (p.feed !== this.feed || p.volume === 0) continue;
      this.line(p.price, accent, `${p.volume > 0 ? "long" : "short"} ${Math.abs(p.volume).toFixed(2)}`);
      if (p.stop) this.line(p.stop, down, "stop");
    }
  }

  private line(price: number, color: string, title: string): void {
    this.lines.push(this.series.createPriceLine({ price, color, title, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: true }));
  }
}

type Candle = ReturnType<typeof candle>;

function candle(bar: Bar) {
  return { time: bar[0] as UTCTimestamp, open: bar[1], high: bar[2], low: bar[3], close: bar[4] };
}
