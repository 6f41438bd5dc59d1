// The desk as a whole: symbols side by side, what is at risk, and a sound when something goes wrong.

import { byId, el, fill } from "./dom";
import { money, percent, volume } from "./format";
import { account, floating, rate, symbolOf, tone } from "./panels";
import type { Bar, LogLine, Position, Prediction, Quote, Store } from "./store";

const OLD_US = 120e6;

/** Close of the candle that held so many seconds ago; the oldest one known where none did. */
function earlier(store: Store, feed: string, seconds: number): number | undefined {
  const at = Math.floor((store.now / 1e6 - seconds) / 60) * 60;
  let best: Bar | undefined;
  for (const [name, bar] of store.all<Bar>("bar"))
    if (name.startsWith(`${feed}|`) && (!best || Math.abs(bar[0] - at) < Math.abs(best[0] - at))) best = bar;
  return best?.[4];
}

/** A cell whose shade says how much: -1 red, 1 green. */
function heat(text: string, share: number, title: string): HTMLElement {
  const strength = Math.round(Math.min(Math.abs(share), 1) * 45);
  const cell = el("td", { title }, text);
  if (strength > 3) cell.style.background = `color-mix(in srgb, var(--${share > 0 ? "up" : "down"}) ${strength}%, transparent)`;
  return cell;
}

/** Symbols side by side: moves of 5 minutes and an hour, spread, and what the model leans to. */
export function markets(store: Store, choose: (feed: string) => void): void {
  const rows = [...store.all<Quote>("quote")].sort(([a], [b]) => (a < b ? -1 : 1)).map(([feed, quote]) => {
    const mid = quote.bid;
    const move = (seconds: number) => {
      const before = earlier(store, feed, seconds);
      return before ? (mid / before - 1) * 1e4 : 0;
    };
    const spread = ((quote.ask - quote.bid) / mid) * 1e4;
    const it = store.all<Prediction>("prediction").get(feed);
    const leans = it && store.now - it.time < OLD_US && !it.veto ? it.p_up - it.p_down : 0;
    const bp = (value: number) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(1)}`;
    const [short, long] = [move(300), move(3600)];
    const row = el("tr", {}, el("td", {}, symbolOf(feed)), heat(bp(short), short / 10, "5 minutes, bp"), heat(bp(long), long / 30, "1 hour, bp"),
      heat(spread.toFixed(2), -spread / 5, "spread, bp"), heat(leans ? `${leans > 0 ? "▲" : "▼"} ${percent(Math.abs(leans))}` : "–", leans * 1.5, "up less down"));
    row.dataset.feed = feed;
    row.onclick = () => choose(feed);
    return row;
  });
  const head = ["symbol", "5 min", "1 h", "spread", "signal"].map((name) => el("th", { scope: "col" }, name));
  fill(byId("markets"), rows.length ? el("table", { class: "heat" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows))
    : el("p", { class: "nothing" }, "No tick yet."));
  for (const row of byId("markets").querySelectorAll<HTMLElement>("tr[data-feed]")) row.onclick = () => choose(row.dataset.feed!);
}

/** Per symbol: what is held at today's price, its floating and its realised profit; and all of it. */
export function exposure(store: Store): void {
  const own = account(store)?.currency ?? "";
  let [gross, net, float, booked] = [0, 0, 0, 0];
  const rows = [...store.all<Position>("position").values()].filter((p) => p.volume !== 0 || p.realised !== 0).map((p) => {
    const quote = store.all<Quote>("quote").get(p.feed);
    const worth = quote?.contract ? p.volume * quote.contract * quote.bid * (rate(store, quote)?.value ?? NaN) : NaN;
    const open = p.volume ? floating(store, p)?.value ?? 0 : 0;
    if (Number.isFinite(worth)) [gross, net] = [gross + Math.abs(worth), net + worth];
    [float, booked] = [float + open, booked + p.realised];
    return line(symbolOf(p.feed), volume(p.volume), Number.isFinite(worth) ? money(worth) : "–", open, p.realised);
  });
  if (!rows.length) return fill(byId("exposure"), el("p", { class: "nothing" }, "Nothing is held, and nothing was closed yet."));
  const equity = account(store)?.equity;
  const head = ["symbol", "volume", `value ${own}`, "floating", "realised"].map((name, i) => el("th", { scope: "col", class: i ? "number" : "" }, name));
  fill(byId("exposure"), el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows, line("net", "", money(net), float, booked))),
    el("p", { class: "note" }, `gross ${money(gross, own)}${equity ? `, ${percent(gross / equity)} of equity` : ""}`));
}

function line(name: string, lots: string, worth: string, open: number, booked: number): HTMLElement {
  const cell = (text: string, kind = "") => el("td", { class: `number ${kind}` }, text);
  return el("tr", {}, el("td", {}, name), cell(lots), cell(worth), cell(money(open, "", true), tone(open)), cell(money(booked, "", true), tone(booked)));
}

const LOUD = new Set(["halted", "reducing", "error", "rejected", "unknown"]);
let audio: AudioContext | undefined;
let told = 0; // number of the newest line that was looked at

/** Turn the sound on or off; only a person's click may, so that is asked each time. */
export function sound(): boolean {
  if (audio) {
    void audio.close();
    audio = undefined;
  } else {
    audio = new AudioContext();
    beep(660);
  }
  return Boolean(audio);
}

/** Sound for what is new and bad; what was there before the page is neither. */
export function heard(store: Store, names: ReadonlySet<string>): void {
  const news = [...names].map((name) => store.all<LogLine>("event").get(name)).filter((line) => line && line.n > told) as LogLine[];
  if (told && news.some((line) => LOUD.has(line.kind))) beep(440);
  told = Math.max(told, ...news.map((line) => line.n));
}

function beep(pitch: number): void {
  if (!audio) return;
  const [tone_, loudness] = [audio.createOscillator(), audio.createGain()];
  tone_.frequency.value = pitch;
  loudness.gain.setValueAtTime(0.15, audio.currentTime);
  loudness.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.4);
  tone_.connect(loudness).connect(audio.destination);
  tone_.start();
  tone_.stop(audio.currentTime + 0.4);
}
