// What may be done with a report and with its breaks. Who may not is told why, and what to type instead.

import { el } from "../dom";
import { button, type Field } from "./act";
import type { Break, Report } from "./reports";

const REASON: Field = { name: "reason", label: "Remark", kind: "long" };

function which(report: Report): object {
  return { name: report.name, day: report.day, mode: report.mode, sha256: report.versions[0]!.sha256 };
}

function typed(report: Report, step: string, me: string): HTMLElement {
  return el("div", {}, el("p", { class: "note" }, "Controls are signed here and the server holds no person's key; where yours is, type:"),
    el("pre", {}, `tickhouse report ${step} ${report.name} --date ${report.day}${report.mode === "live" ? "" : ` --mode ${report.mode}`} --by ${me}`));
}

export function reportActs(report: Report, me: string, after: () => void): HTMLElement[] {
  const newest = report.versions[0]!;
  const errors = newest.breaks.error ?? 0;
  if (!report.standing) return [];
  const of = `${report.name} of ${report.day}, version ${newest.version}`;
  if (!newest.maker) {
    if (report.typed) return [typed(report, "sign", me)];
    return [button("Sign as maker", () => ({
      title: `Sign ${of}`, says: `You stand for this version: manifest ${newest.sha256}. Another person releases it.`,
      path: "report-step", body: { ...which(report), step: "sign" }, fields: [], done: "Signed.", go: "Sign",
    }), after)];
  }
  if (!newest.release) {
    if (newest.maker.by === me) return [el("p", { class: "note" }, "You signed it, so another person releases it.")];
    if (errors) return [el("p", { class: "note" }, `It has ${errors} ${errors === 1 ? "break" : "breaks"} of severity error: what is wrong is corrected and the report made again; that version can be released.`)];
    if (report.typed) return [typed(report, "release", me)];
    return [button("Release as checker", () => ({
      title: `Release ${of}`, says: `${newest.maker!.by} made it. You reviewed manifest ${newest.sha256} and let it out.`,
      path: "report-step", body: { ...which(report), step: "release" }, fields: [REASON], done: "Released.", go: "Release",
    }), after)];
  }
  if (report.to && !newest.filed) {
    return [button("It was filed", () => ({
      title: `${of} was filed`, says: `It went to ${report.to}, by your own means: nothing is sent from here.`,
      path: "report-step", body: { ...which(report), step: "filed" }, done: "Kept.", go: "Keep",
      fields: [{ name: "reference", label: "The reference they gave", required: true }],
    }), after)];
  }
  return [];
}

export function breakActs(report: Report, one: Break, after: () => void): HTMLElement[] {
  const act = (text: string, step: string, fields: Field[]) => button(text, () => ({
    title: `${text}: break ${one.id}`, says: one.notes.join("\n"), path: "break-step",
    body: { ...which(report), break_id: one.id, step }, fields, done: "Kept.", go: text,
  }), after);
  const why: Field = { name: "reason", label: "What it was, and what was done", kind: "long", required: true };
  if (one.resolution) return [act("Reopen", "reopened", [{ ...why, label: "Why" }])];
  return [act("Assign", "assigned", [{ name: "owner", label: "To", choices: report.owners }, REASON]), act("Resolve", "resolved", [why])];
}
