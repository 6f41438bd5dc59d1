// Cases of three kinds in one list, and one of them with its notes and what may be done next.

import { el } from "../dom";
import { button, type Field } from "./act";
import { ask } from "./api";
import { facts, longText, table, type Cell } from "./tables";

interface Row { kind: string; case_id: string; title: string; opened: string; due: string; late: boolean; analyst: string; status: string; outcome: string }
interface Step { name: string; label: string; needs: string[] }
interface View {
  case: { row: Row; facts: [string, string][]; notes: string[]; orders: string[]; steps: Step[]; commands: string[] };
  mode: string; outcomes: string[]; filings: string[]; impact: { name: string; says: string; is_flag: boolean }[];
}

const KINDS: Record<string, string> = { abuse: "market abuse", incident: "incident", privacy: "personal data" };

export async function list(parameters: Record<string, string>): Promise<HTMLElement[]> {
  const got = await ask<{ mode: string; cases: Row[]; problem: string }>("cases", parameters);
  const all = parameters.closed === "yes";
  const rows = got.cases.map((one): Cell[] => [
    el("a", { href: `#/case/${one.kind}/${one.case_id}/${got.mode}` }, one.case_id), KINDS[one.kind] ?? one.kind,
    longText(one.title), one.opened,
    one.due ? el("span", { class: one.late ? "late" : "" }, one.late ? `${one.due}, late` : one.due) : "",
    one.analyst || el("span", { class: "wait" }, "nobody"), one.status, longText(one.outcome.replaceAll("_", " "))]);
  return [el("section", {}, el("h2", {}, all ? "All cases" : "Open cases"),
    got.problem && el("p", { class: "problem", role: "alert" }, got.problem),
    el("p", {}, el("a", { href: `#/cases?mode=${got.mode}${all ? "" : "&closed=yes"}` }, all ? "Open ones alone" : "Closed ones, too")),
    table("Late ones first (UTC)", ["Case", "Kind", "What", "Opened", "Due", "Analyst", "State", "Outcome"], rows, "No case.", true))];
}

function fields(step: Step, view: View): Field[] {
  const known: Record<string, Field[]> = {
    reason: [{ name: "reason", label: step.name === "noted" ? "Note" : "What you found, and why", kind: "long", required: true }],
    outcome: [{ name: "outcome", label: "Outcome", choices: view.outcomes }],
    reference: [{ name: "reference", label: step.name === "filed" ? "The authority's reference" : "The authority's reference, of what was reported alone", required: step.name === "filed" }],
    what: [{ name: "what", label: "What went out", choices: [...view.filings].sort((a) => (step.label.includes(` ${a} `) ? -1 : 1)) }],
    impact: view.impact.map((one) => ({ name: `impact.${one.name}`, label: `${one.name.replaceAll("_", " ")}: ${one.says}`, kind: one.is_flag ? "flag" as const : "number" as const })),
  };
  return step.needs.flatMap((need) => known[need] ?? []);
}

export async function one(kind: string, id: string, mode: string, after: () => void): Promise<HTMLElement[]> {
  const view = await ask<View>("case", { kind, id, mode });
  const { row, notes, orders, steps, commands } = view.case;
  const state = row.outcome ? `${row.status}: ${row.outcome.replaceAll("_", " ")}` : row.status;
  const acts = steps.map((step) => button(step.label, () => ({
    title: `${step.label}: ${row.title}`, path: "case-step", body: { kind, case_id: row.case_id, mode: view.mode, step: step.name },
    fields: fields(step, view), done: "Kept.", go: step.label,
  }), after));
  return [
    el("section", {}, el("h2", {}, `${row.title} (${KINDS[kind] ?? kind})`),
      facts(["Case", row.case_id], ["State", state], ["Opened", row.opened], ["Analyst", row.analyst || "nobody"],
        ["Due", row.due ? el("span", { class: row.late ? "late" : "" }, row.late ? `${row.due}, late` : row.due) : ""], ...view.case.facts),
      el("div", { class: "row" }, ...acts),
      ...commands.map((command) => el("div", {}, el("p", { class: "note" }, "By command:"), el("pre", {}, command)))),
    el("section", {}, el("h2", {}, "Notes"), notes.length
      ? el("ol", { class: "notes" }, ...notes.map((note) => el("li", {}, note))) : el("p", { class: "nothing" }, "None yet.")),
    ...(orders.length ? [el("section", {}, el("h2", {}, "Orders"), el("ul", { class: "todo" }, ...orders.map((order) =>
      el("li", {}, el("a", { href: `#/decision/${encodeURIComponent(order)}` }, order)))))] : []),
  ];
}
