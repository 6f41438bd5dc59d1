// Search over orders and denials, where one came from, and how the last verifications ended.

import { el } from "../dom";
import { ask } from "./api";
import { facts, longText, rowHead, table, time, type Cell } from "./tables";

interface Found {
  run_id: string; account: string; order_id: string; strategy: string; source: string; symbol: string; begun_us: number; side: string;
  purpose: string; volume: number; kind: string; reason: string; limit_value: number; observed: number;
}
type Lineage = Record<string, string | number | boolean | null>;

const TIMES = ["ts_us", "signal_us"];

function form(parameters: Record<string, string>): HTMLElement {
  const field = (name: string, label: string, type = "text") => el("label", {}, label,
    el("input", { name, type, value: parameters[name] ?? "", maxlength: "64" }));
  const denied = el("input", { type: "checkbox", name: "denied", value: "yes", ...(parameters.denied === "yes" ? { checked: "" } : {}) });
  const made = el("form", { class: "row", role: "search" }, field("id", "Id: order, signal, deal"), field("symbol", "Symbol"), field("day", "Day (UTC)", "date"),
    field("strategy", "Strategy"), field("mode", "World"), el("label", {}, "Denials alone", denied), el("button", { class: "go", type: "submit" }, "Search"));
  made.onsubmit = (event) => {
    event.preventDefault();
    const given = [...new FormData(made)].map(([name, value]) => [name, String(value).trim()] as [string, string]);
    location.hash = `#/decisions?${new URLSearchParams(given.filter(([, value]) => value))}`;
  };
  return made;
}

export async function search(parameters: Record<string, string>): Promise<HTMLElement[]> {
  const asked = ["id", "symbol", "day", "strategy"].some((name) => parameters[name]);
  const top = el("section", {}, el("h2", {}, "Decisions"), form({ mode: "live", ...parameters }));
  if (!asked) return [top];
  const got = await ask<{ rows: Found[]; more: boolean }>("decisions", parameters);
  const rows = got.rows.map((one): Cell[] => [
    el("a", { href: `#/decision/${encodeURIComponent(one.order_id)}/${encodeURIComponent(one.run_id)}` }, one.order_id), time(one.begun_us), one.account, one.strategy,
    `${one.source} ${one.symbol}`, `${one.side} ${one.volume}`, one.purpose, one.kind,
    longText(one.reason && one.limit_value ? `${one.reason}: ${one.observed} against ${one.limit_value}` : one.reason)]);
  return [top, el("section", {}, got.more && el("p", { class: "note warn" }, `The newest ${rows.length}; ask for less.`),
    table("Orders and denials, the newest first (UTC)", ["Order", "When", "Account", "Strategy", "Instrument", "Asked for", "Purpose", "Now", "Why"], rows, "None.", true))];
}

function shown(name: string, value: Lineage[string] | undefined): string {
  if (value === null || value === undefined) return "";
  if (TIMES.includes(name)) return Number(value) > 0 ? time(Number(value)) : "";
  return typeof value === "number" && !Number.isInteger(value) ? String(+value.toPrecision(9)) : String(value);
}

export async function decision(order: string, run: string): Promise<HTMLElement[]> {
  const got = await ask<{ order: string; rows: Lineage[] }>("decision", { order, run });
  const first = got.rows[0]!;
  const names = Object.keys(first).filter((name) => name !== "kind" && got.rows.some((row) => shown(name, row[name]) !== "" && row[name] !== 0));
  const rows = names.map((name): Cell[] => [rowHead(name.replaceAll("_", " ").replace(/ us$/, " (UTC)")),
    ...got.rows.map((row) => longText(shown(name, row[name])))]);
  return [
    el("section", {}, el("h2", {}, `Order ${got.order}`),
      facts(["Run", String(first.run_id)], ["Account", String(first.account)], ["Strategy", String(first.strategy)], ["Instrument", `${first.source} ${first.symbol}`]),
      el("p", {}, el("a", { href: `/trace?order=${encodeURIComponent(got.order)}` }, "From tick to fill, as a waterfall")),
      el("p", { class: "note" }, "Computed again from its ticks and compared bit for bit:"), el("pre", {}, `tickhouse explain ${got.order} --run ${first.run_id}`)),
    el("section", {}, el("h2", {}, "Lineage"), table("What it came from, an event a column", ["", ...got.rows.map((row) => String(row.kind))], rows)),
  ];
}

export async function audit(): Promise<HTMLElement[]> {
  const got = await ask<{ rows: { at_us: number; status: string; events: number; breaks: number; detail: string }[]; sealed: string; seals: number }>("verifications");
  const last = got.rows[0];
  const rows = got.rows.map((one): Cell[] => [time(one.at_us), el("span", { class: one.status === "passed" ? "done" : "late" }, one.status),
    String(one.events), String(one.breaks), longText(one.detail)]);
  return [el("section", {}, el("h2", {}, "Audit trail"),
    facts(["Last verified (UTC)", last ? time(last.at_us) : "never"],
      ["It said", last ? el("span", { class: last.status === "passed" ? "done" : "late" }, last.status === "passed" ? "whole" : `${last.breaks} breaks`) : ""],
      ["Sealed up to", got.sealed || "no day is sealed"], ["Sealed days", String(got.seals)]),
    el("p", { class: "note" }, "Verified each night, and by command:"), el("pre", {}, "tickhouse audit verify"),
    table("Journal, warehouse and signed roots against each other (UTC)", ["When", "Result", "Events", "Breaks", "First breaks"], rows, "Never verified.", true))];
}
