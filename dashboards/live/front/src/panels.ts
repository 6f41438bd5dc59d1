// Everything but the chart: each function draws one panel from the store.

import { byId, el, fill } from "./dom";
import { age, clock, duration, money, percent, price, volume, words } from "./format";
import type {
  Account, Denial, Fill, Latency, Link, LogLine, Model, OrderItem, Position, Prediction, Process, Quote, Risk, Store,
} from "./store";

const STALE_US = 30e6;
const SILENT_US = 5e6;
const OLD_US = 120e6; // a prediction is made each second: an older one holds no more

export function account(store: Store): Account | undefined {
  return [...store.all<Account>("account").values()].at(-1);
}

function row(...cells: (string | Node)[]): HTMLElement {
  return el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
}

/** Heads that begin with # are of numbers: their columns stand flush right. */
function table(heads: string[], rows: HTMLElement[], nothing: string): HTMLElement {
  if (!rows.length) return el("p", { class: "nothing" }, nothing);
  heads.forEach((head, i) => head.startsWith("#") && rows.forEach((r) => r.children[i]?.classList.add("number")));
  const th = (h: string) => el("th", { scope: "col", class: h.startsWith("#") ? "number" : "" }, h.replace("#", ""));
  return el("table", {}, el("thead", {}, el("tr", {}, ...heads.map(th))), el("tbody", {}, ...rows));
}

export function symbolOf(feed: string): string {
  return feed.slice(feed.indexOf("/") + 1);
}

export function tone(value: number): string {
  return value > 0.004 ? "up" : value < -0.004 ? "down" : "";
}

function isOpen(session: string | undefined, us: number): boolean {
  if (!session || session === "always") return true;
  const local = new Date(new Date(us / 1000).toLocaleString("en-US", { timeZone: "America/New_York" }));
  const [day, hour] = [local.getDay(), local.getHours()];
  if (session === "metal" && hour === 17) return false;
  return day === 6 ? false : day === 0 ? hour >= 17 : !(day === 5 && hour >= 17);
}

/** Profit of an open position at the price it would close at; account currency where a rate is known. */
export function floating(store: Store, position: Position): { value: number; currency: string } | null {
  const quote = store.all<Quote>("quote").get(position.feed);
  if (!quote || !quote.contract || !quote.quote) return null;
  const close = position.volume > 0 ? quote.bid : quote.ask;
  const value = (close - position.price) * position.volume * quote.contract;
  const known = rate(store, quote);
  return known ? { value: value * known.value, currency: known.currency } : { value, currency: quote.quote };
}

/** Account currency for one of a symbol's quote currency; null where no quote says. */
export function rate(store: Store, quote: Quote): { value: number; currency: string } | null {
  const own = account(store)?.currency ?? quote.quote!;
  if (own === quote.quote) return { value: 1, currency: own };
  const direct = store.all<Quote>("quote").get(`${quote.source}/${quote.quote}${own}`);
  if (direct) return { value: direct.bid, currency: own };
  const inverse = store.all<Quote>("quote").get(`${quote.source}/${own}${quote.quote}`);
  return inverse ? { value: 1 / inverse.ask, currency: own } : null;
}

export function tabs(store: Store, chosen: string, choose: (feed: string) => void): void {
  const place = byId("feeds");
  const feeds = [...store.all<Quote>("quote")].sort(([a], [b]) => (a < b ? -1 : 1));
  if (place.children.length !== feeds.length || feeds.some(([feed], i) => (place.children[i] as HTMLElement).dataset.feed !== feed)) {
    place.replaceChildren(...feeds.map(([feed, quote]) => {
      const button = el("button", { type: "button", role: "tab" },
        el("span", { class: "symbol" }, quote.symbol), el("span", { class: "price" }),
        el("span", { class: "spread" }), el("span", { class: "says" }));
      button.dataset.feed = feed;
      button.onclick = () => choose(feed);
      return button;
    }));
  }
  feeds.forEach(([feed, quote], i) => {
    const button = place.children[i] as HTMLElement;
    const digits = quote.digits ?? 5;
    const late = store.now - quote.time;
    const open = isOpen(quote.session, store.now);
    button.setAttribute("aria-selected", String(feed === chosen));
    button.title = `${quote.source} ${quote.symbol}, last tick ${age(late)} ago`;
    button.classList.toggle("stale", open && late > STALE_US);
    button.children[1]!.textContent = price(quote.bid, digits);
    button.children[2]!.textContent = !open ? "closed" : late > STALE_US ? `stale ${age(late)}`
      : `spread ${((quote.ask - quote.bid) * 10 ** digits).toFixed(0)}`;
    said(button.children[3] as HTMLElement, store.all<Prediction>("prediction").get(feed), store.now);
  });
}

/** What the model leans to, and how surely: in words too, for colours are not for everybody. */
function said(place: HTMLElement, it: Prediction | undefined, now: number): void {
  const holds = it && now - it.time < OLD_US && !it.veto;
  const up = it && it.p_up >= it.p_down;
  place.className = holds ? `says ${up ? "up" : "down"}` : "says";
  place.textContent = !it ? "" : holds ? `${up ? "▲" : "▼"} ${percent(it.confidence)}` : "–";
  place.title = !it ? "" : holds ? `${up ? "up" : "down"}, confidence ${percent(it.confidence)}` : "no prediction that holds now";
}

/** Feeds whose market is open and which say nothing. */
export function stale(store: Store): [string, Quote][] {
  return [...store.all<Quote>("quote")].filter(([, q]) => isOpen(q.session, store.now) && store.now - q.time > STALE_US);
}

export function headline(store: Store): void {
  const it = account(store);
  const opened = store.one<number>("day_open");
  const today = it && opened !== undefined ? it.equity - opened : undefined;
  fill(byId("account"),
    it && figure("Equity", money(it.equity, it.currency)),
    it && figure("Balance", money(it.balance, it.currency)),
    it && today !== undefined && figure("Today", money(today, it.currency, true), tone(today)),
    it && figure("Margin", money(it.margin, it.currency)));
  byId("mode").textContent = it?.mode ?? "";
}

/** What is no real market says so, always in sight. */
export function market(store: Store): void {
  const told = store.one<string>("market") ?? "";
  byId("market").hidden = !told;
  byId("market").textContent = told;
}

function figure(name: string, text: string, kind = ""): HTMLElement {
  return el("div", { class: "figure" }, el("dt", {}, name), el("dd", { class: kind }, text));
}

export function risk(store: Store): void {
  const it = [...store.all<Risk>("risk").values()].at(-1);
  const state = it?.state ?? "unknown";
  const pill = byId("state");
  pill.textContent = state;
  pill.className = `pill ${state}`;
  pill.title = it ? `since ${clock(it.since)} UTC${it.by ? `, by ${it.by}` : ""}: ${it.reason}` : "execution has not said yet";
  const banner = byId("halted");
  banner.hidden = !it || it.state === "active";
  if (it) fill(banner, el("strong", {}, `Trading is ${it.state}`), ` since ${clock(it.since)} UTC${it.by ? `, by ${it.by}` : ""}: ${it.reason}`);
  document.body.dataset.state = state;
  document.title = state === "active" ? "Tickhouse live" : `${state.toUpperCase()} · Tickhouse`;
  byId("resume").hidden = !it || it.state === "active";
}

/** Why nothing is predicted: a rule needs no model; the simulated market's comes by itself. */
function unpredicted(store: Store): string {
  const strategy = store.one<string>("strategy") ?? "model";
  if (strategy !== "model") return `No prediction: the strategy ${strategy} decides without a model.`;
  if (store.one<string>("market")) return "No prediction yet. A plain tickhouse up brings a model of this market within a minute; with --bare nothing predicts until tickhouse train.";
  return "No prediction for this symbol. A model predicts once one is trained: tickhouse train";
}

export function prediction(store: Store, feed: string): void {
  const it = store.all<Prediction>("prediction").get(feed);
  if (!it) return fill(byId("prediction"), el("p", { class: "nothing" }, unpredicted(store)));
  const part = (kind: string, share: number, text: string) =>
    el("div", { class: kind, style: `flex-grow:${Math.max(share, 0.001)}`, title: `${text} ${percent(share)}` }, share > 0.13 ? percent(share) : "");
  fill(byId("prediction"),
    el("div", { class: "bar", role: "img", "aria-label": `down ${percent(it.p_down)}, flat ${percent(it.p_flat)}, up ${percent(it.p_up)}` },
      part("down", it.p_down, "down"), part("flat", it.p_flat, "flat"), part("up", it.p_up, "up")),
    el("p", { class: "ends" }, el("span", { class: "down" }, "▼ down"), el("span", {}, "flat"), el("span", { class: "up" }, "▲ up")),
    el("dl", { class: "facts" }, fact("confidence", percent(it.confidence)), fact("agreement", percent(it.agreement)),
      it.edge !== 0 && fact("edge", `${it.edge < 0 ? "\u2212" : "+"}${Math.abs(it.edge).toFixed(2)} bp`), fact("model", it.model.slice(0, 8) + (store.all<Model>("model").get(it.model)?.simulated ? " (simulated)" : "")), fact("at", clock(it.time))),
    it.veto ? el("p", { class: "note warn" }, "Not trusted: the market is outside what the model was trained on.")
      : store.now - it.time > OLD_US && el("p", { class: "note warn" }, `Old: nothing was predicted for ${age(store.now - it.time)}.`));
}

function fact(name: string, text: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, text));
}

export function positions(store: Store): void {
  const open = [...store.all<Position>("position").values()].filter((p) => p.volume !== 0);
  const rows = open.map((p) => {
    const digits = store.all<Quote>("quote").get(p.feed)?.digits ?? 5;
    const profit = floating(store, p);
    return row(symbolOf(p.feed), el("span", { class: p.volume > 0 ? "up" : "down" }, volume(p.volume)),
      price(p.price, digits), p.stop ? price(p.stop, digits) : "none",
      profit ? el("span", { class: tone(profit.value) }, money(profit.value, profit.currency, true)) : "");
  });
  fill(byId("positions"), table(["symbol", "#volume", "#price", "#S/L", "#profit"], rows, "No open position."));
  const realised = [...store.all<Position>("position").values()].reduce((sum, p) => sum + p.realised, 0);
  fill(byId("realised"), realised ? el("span", { class: tone(realised) }, `realised ${money(realised, account(store)?.currency, true)}`) : "");
}

/** When, as a link to the order's way from tick to fill. */
function traced(item: OrderItem): HTMLElement {
  return el("a", { href: `/trace?order=${encodeURIComponent(item.order)}`, target: "_blank", title: "this order from tick to fill" }, clock(item.time));
}

export function orders(store: Store): void {
  const rows = [...store.all<OrderItem>("order").values()].map((o) =>
    row(traced(o), symbolOf(o.feed), `${o.side} ${volume(o.volume)}`, o.purpose,
      el("span", { class: o.kind === "unknown" ? "warn" : "" }, words(o.kind))));
  fill(byId("orders"), table(["time", "symbol", "order", "purpose", "state"], rows, "No open order."));
}

function inOrder<Item extends { time: number }>(items: Iterable<Item>): Item[] {
  return [...items].sort((a, b) => a.time - b.time);
}

export function denials(store: Store): void {
  const counts = [...store.all<number>("denied")].sort(([, a], [, b]) => b - a);
  const rows = inOrder(store.all<Denial>("denial").values()).slice(-8).reverse().map((d) =>
    row(traced(d), symbolOf(d.feed), `${d.side} ${volume(d.volume)}`, words(d.reason),
      d.limit || d.observed ? `${+d.observed.toPrecision(3)} > ${+d.limit.toPrecision(3)}` : ""));
  fill(byId("denials"),
    counts.length > 0 && el("p", { class: "chips" }, ...counts.map(([reason, n]) => el("span", { class: "chip" }, `${words(reason)} ${n}`))),
    table(["time", "symbol", "order", "rule", "#seen > limit"], rows, "Nothing was denied."));
}

export function fills(store: Store): void {
  const rows = inOrder(store.all<Fill>("fill").values()).slice(-8).reverse().map((f) => {
    const digits = store.all<Quote>("quote").get(f.feed)?.digits ?? 5;
    return row(traced(f), symbolOf(f.feed), `${f.side} ${volume(f.volume)}`, price(f.price, digits), words(f.purpose || f.kind),
      f.purpose === "entry" ? "" : el("span", { class: tone(f.profit) }, money(f.profit, "", true)));
  });
  fill(byId("fills"), table(["time", "symbol", "fill", "#price", "purpose", "#profit"], rows, "No fill yet."));
}

const STAGES: Record<string, string> = {
  collect: "tick collected", feature: "features", predict: "prediction", publish: "signal published", risk: "risk checks",
  journal: "journal on disk", send: "broker's round trip", tick_to_signal: "tick to signal", signal_to_order: "signal to order",
};

export function latency(store: Store): void {
  const known = store.all<Latency>("latency");
  const rows = Object.keys(STAGES).filter((s) => known.has(s)).map((stage) => {
    const it = known.get(stage)!;
    return row(el("span", { title: `${it.count.toLocaleString("en-US")} times` }, STAGES[stage]!), duration(it.p50), duration(it.p99), duration(it.max));
  });
  fill(byId("latency"), table(["last minute", "#p50", "#p99", "#max"], rows, "Nothing was measured yet."));
}

export function processes(store: Store): void {
  const chips = [...store.all<Process>("process").values()].sort((a, b) => (a.process < b.process ? -1 : 1)).map((p) => {
    const late = store.now - p.time > SILENT_US;
    const kind = late ? "bad" : p.status === "ready" ? "good" : "warn";
    const text = late ? `silent ${age(store.now - p.time)}` : p.status === "ready" ? age(store.now - p.started) : `${p.status} ${p.detail}`;
    return el("li", { class: kind, title: `${p.detail || p.process}, up ${age(store.now - p.started)}` }, el("b", {}, p.process), " ", el("span", {}, text));
  });
  fill(byId("processes"), chips.length ? el("ul", { class: "processes" }, ...chips) : el("p", { class: "nothing" }, "No process has reported yet."));
}

export function links(store: Store): void {
  const lost: HTMLElement[] = [];
  if (!store.connected) lost.push(el("p", {}, `This page has lost its server (python -m dashboards.live) ${age((Date.now() - store.disconnectedSince) * 1000)} ago and tries again. What you see is old.`));
  else for (const [name, link] of store.all<Link>("link"))
    if (!link.up) lost.push(el("p", {}, `The ${name} does not answer since ${clock(link.since)} UTC (${age(store.now - link.since)}): ${link.problem}. ${name === "bus" ? "Nothing below is live." : "History is missing; trading does not need it."}`));
  if (store.connected)
    for (const [feed, quote] of stale(store))
      lost.push(el("p", {}, `${feed} is silent since ${clock(quote.time)} UTC (${age(store.now - quote.time)}) although its market is open.`));
  byId("trouble").hidden = !lost.length;
  fill(byId("trouble"), ...lost);
  document.body.classList.toggle("offline", !store.connected);
}

export function log(store: Store): void {
  const lines = [...store.all<LogLine>("event").values()].sort((a, b) => b.time - a.time || b.n - a.n).slice(0, 60);
  fill(byId("log"), lines.length ? el("ol", {}, ...lines.map((line) =>
    el("li", { class: line.kind }, el("time", {}, clock(line.time)), el("b", {}, words(line.kind)), el("span", {}, line.text))))
    : el("p", { class: "nothing" }, "Nothing has happened yet."));
}
