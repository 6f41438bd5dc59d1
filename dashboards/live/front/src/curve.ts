// Equity and balance of the trading day, a point a minute.

import { LineSeries, LineType, createChart, type IChartApi, type ISeriesApi, type UTCTimestamp } from "lightweight-charts";
import { colour, look } from "./chart";
import type { Store } from "./store";

export class Curve {
  private readonly chart: IChartApi;
  private readonly equity: ISeriesApi<"Line">;
  private readonly balance: ISeriesApi<"Line">;

  constructor(private readonly place: HTMLElement, private readonly store: Store) {
    this.chart = createChart(place, { autoSize: true, handleScroll: false, handleScale: false, timeScale: { timeVisible: true, secondsVisible: false } });
    const plain = { lineWidth: 2 as const, priceLineVisible: false, priceFormat: { type: "price" as const, precision: 2, minMove: 0.01 } };
    this.balance = this.chart.addSeries(LineSeries, { ...plain, lineWidth: 1, lineType: LineType.WithSteps, lastValueVisible: false });
    this.equity = this.chart.addSeries(LineSeries, plain);
    this.recolour();
  }

  recolour(): void {
    this.chart.applyOptions(look());
    this.chart.applyOptions({ layout: { attributionLogo: false } }); // the candles beside it carry it
    this.equity.applyOptions({ color: colour("--accent") });
    this.balance.applyOptions({ color: colour("--muted") });
  }

  update(): void {
    const points = [...this.store.all<[number, number, number]>("equity").values()].sort((a, b) => a[0] - b[0]);
    this.place.hidden = points.length < 2;
    this.equity.setData(points.map(([time, equity]) => ({ time: time as UTCTimestamp, value: equity })));
    this.balance.setData(points.map(([time, , balance]) => ({ time: time as UTCTimestamp, value: balance })));
    this.chart.timeScale().fitContent();
  }
}
