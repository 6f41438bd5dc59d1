// What is left before each rule of the account's firm, and the events of the calendar that come.

import { byId, el, fill } from "./dom";
import { age, clock, money, percent } from "./format";
import { account } from "./panels";
import type { Store } from "./store";

interface FirmRule {
  firm: string; rule: string; limit: number; observed: number; left: number; broken: number; least: number; leastAt: number; time: number;
}
interface CalendarEvent { time: number; currency: string; name: string; importance: string; forecast: string; previous: string; actual: string }
interface Coming { problem: string; reaches: number; events: CalendarEvent[] }

const NAMES: Record<string, string> = {
  daily_loss: "Daily loss", drawdown: "Drawdown", open_lots: "Open lots", profit_target: "Profit target",
  margin_close_out: "Close-out at half the margin", negative_balance: "Negative balance",
  min_days: "Trading days", consistency: "Best day", news: "News",
};
const SOON_US = 3600e6;

/** Rules whose limit is what the account may not fall to, not what it may lose. */
const FLOORS = ["margin_close_out", "negative_balance"];

function floorUsed(it: FirmRule): number {
  return it.limit > 0 ? it.limit / Math.max(it.observed, it.limit) : 0;
}

/** How full a limit is, as a bar and in words. */
function gauge(it: FirmRule, text: string): HTMLElement {
  const share = FLOORS.includes(it.rule) ? floorUsed(it) : it.limit ? it.observed / it.limit : 0;
  const used = Math.min(Math.max(share, 0), 1);
  const kind = it.broken ? "broken" : it.rule === "profit_target" || it.rule === "min_days" ? "goal" : used > 0.8 ? "near" : "";
  const bar = el("div", { class: `gauge ${kind}`, role: "img", "aria-label": `${percent(used)} of ${NAMES[it.rule] ?? it.rule}` }, el("i", { style: `width:${(used * 100).toFixed(1)}%` }));
  return el("div", { class: "rule" }, el("b", {}, NAMES[it.rule] ?? it.rule), el("span", {}, text), bar);
}

/** What is left, in the rule's own unit. */
function left(it: FirmRule, currency: string): string {
  if (it.broken) return `broken at ${new Date(it.broken / 1000).toISOString().slice(0, 10)} ${clock(it.broken)}`;
  const lacking = Math.max(it.left, 0);
  if (it.rule === "profit_target") return lacking ? `${money(lacking, currency)} to go` : "reached";
  if (it.rule === "min_days") return lacking ? `${lacking} more` : "reached";
  if (it.rule === "news") return "no entry around events";
  if (it.rule === "open_lots") return `${lacking.toFixed(2)} lots left`;
  if (it.rule === "consistency") return `${percent(it.observed)} of at most ${percent(it.limit)}`;
  if (FLOORS.includes(it.rule)) return `${money(lacking, currency)} above it`;
  return `${money(lacking, currency)} left of ${money(it.limit)}`;
}

export function firm(store: Store): void {
  const rules = [...store.all<FirmRule>("firm").values()];
  byId("firm-card").hidden = !rules.length;
  const order = Object.keys(NAMES);
  rules.sort((a, b) => order.indexOf(a.rule) - order.indexOf(b.rule));
  byId("firm-name").textContent = rules[0]?.firm ?? "";
  const currency = account(store)?.currency ?? "";
  fill(byId("firm"), ...rules.map((it) => {
    const row = gauge(it, left(it, currency));
    if (it.leastAt) row.title = `least ever left ${money(it.least, currency)}, at ${clock(it.leastAt)} UTC`;
    return row;
  }));
}

export function calendar(store: Store): void {
  const it = store.one<Coming>("calendar");
  byId("calendar-card").hidden = !it;
  if (!it) return;
  const silent = it.problem || (it.reaches ? "" : "The calendar says nothing of today: rules about news deny entries. tickhouse calendar import FILE");
  const shown = it.events.filter((e) => e.time > store.now - 600e6).slice(0, 12);
  const rows = shown.map((e) => {
    const until = e.time - store.now;
    const when = until < 0 ? `${age(-until)} ago` : `in ${age(until)}`;
    return el("tr", { class: `${e.importance} ${Math.abs(until) < SOON_US ? "soon" : ""}`, title: `${new Date(e.time / 1000).toISOString().slice(0, 16).replace("T", " ")} UTC${e.forecast ? `, forecast ${e.forecast}` : ""}${e.previous ? `, previous ${e.previous}` : ""}` },
      el("td", {}, when), el("td", {}, e.currency || "all"), el("td", {}, e.name), el("td", { class: "weight" }, e.importance));
  });
  fill(byId("calendar"), silent ? el("p", { class: "note warn" }, silent) : "",
    rows.length ? el("table", {}, el("tbody", {}, ...rows)) : el("p", { class: "nothing" }, "No event within a week."));
}
