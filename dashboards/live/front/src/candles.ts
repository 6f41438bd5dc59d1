// Candles of one feed at one span: minutes that the server keeps, what was fetched of before, and ticks.

import type { Bar, Quote, Store } from "./store";

export const SPANS: [seconds: number, name: string][] = [
  [1, "1s"], [5, "5s"], [15, "15s"], [60, "1m"], [300, "5m"], [900, "15m"], [3600, "1h"], [14400, "4h"], [86400, "1d"],
];
const PAGE = 600;

export class Candles {
  /** By the time that each begins; what was fetched, and below a minute what ticks made since. */
  private readonly kept = new Map<number, Bar>();
  private asking = false;
  private exhausted = false;
  problem = "";

  constructor(private readonly store: Store, readonly feed: string, readonly span: number, private readonly came: (older: number) => void) {
    this.older(Math.floor(store.now / 1e6) + span);
  }

  /** Ask for a page of before; `came` is called with how many were new. */
  async older(before = this.first()): Promise<void> {
    if (this.asking || this.exhausted) return;
    this.asking = true;
    try {
      const asked = new URLSearchParams({ feed: this.feed, span: String(this.span), before: String(before), count: String(PAGE) });
      const answer = await fetch(`/api/bars?${asked}`);
      if (!answer.ok) throw new Error(((await answer.json()) as { error: string }).error);
      const bars = (await answer.json()) as Bar[];
      for (const bar of bars) this.kept.set(bar[0], join(bar, this.kept.get(bar[0])));
      this.exhausted = !bars.length;
      this.problem = "";
      this.came(bars.length);
    } catch (error) {
      this.problem = String(error);
    } finally {
      this.asking = false;
    }
  }

  /** A tick, for spans below a minute; the candle that it belongs to. */
  tick(quote: Quote): Bar {
    const at = this.start(Math.floor(quote.time / 1e6));
    const bar = join(this.kept.get(at), [at, quote.bid, quote.bid, quote.bid, quote.bid]);
    this.kept.set(at, bar);
    return bar;
  }

  all(): Bar[] {
    const bars = new Map(this.kept);
    if (this.span >= 60) {
      const minutes = [...this.store.all<Bar>("bar")].filter(([name]) => name.startsWith(`${this.feed}|`)).map(([, bar]) => bar).sort((a, b) => a[0] - b[0]);
      const whole = minutes.length ? this.start(minutes[0]![0] + this.span - 1) : Infinity;
      for (const at of [...bars.keys()]) if (at >= whole) bars.delete(at); // the server's own minutes know it better
      for (const minute of minutes) {
        const at = this.start(minute[0]);
        bars.set(at, join(bars.get(at), [at, minute[1], minute[2], minute[3], minute[4]]));
      }
    }
    return [...bars.values()].sort((a, b) => a[0] - b[0]);
  }

  start(second: number): number {
    return Math.floor(second / this.span) * this.span;
  }

  private first(): number {
    return Math.min(...this.kept.keys(), ...this.all().slice(0, 1).map((bar) => bar[0]));
  }
}

function join(before: Bar | undefined, later: Bar | undefined): Bar {
  if (!before || !later) return (before ?? later)!;
  return [before[0], before[1], Math.max(before[2], later[2]), Math.min(before[3], later[3]), later[4]];
}
