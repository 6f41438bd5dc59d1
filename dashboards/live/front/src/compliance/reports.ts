// Reports: which are due and how far they are; one report with its versions, breaks, log and files.

import { el } from "../dom";
import { ask } from "./api";
import { counted, facts, longText, rowHead, table, time, type Cell } from "./tables";

interface Standing {
  report: string; day: string; due: string; state: string; late: boolean; version: number;
  errors: number; warnings: number; maker: string; checker: string; reference: string; problem: string;
}
interface Calendar {
  today: string; until: string; before: string; mode: string; modes: string[]; standings: Standing[];
  reports: { name: string; title: string; every: string; to: string }[];
}
interface Signed { by: string; ts_us: number; reason: string }
export interface Version {
  version: number; sha256: string; made_us: number; layout: string; empty: boolean; restates: number; restated: boolean;
  breaks: Record<string, number>; files: Record<string, { bytes: number; rows: number; sha256: string }>;
  maker: Signed | null; release: Signed | null; filed: Signed | null;
}
export interface Break { id: string; row: Record<string, string>; owner: string; resolution: string; by: string; notes: string[] }
export interface Report {
  name: string; day: string; mode: string; title: string; subtitle: string; to: string; standing: Standing | null;
  versions: Version[]; inputs: Record<string, string>; changed: string[]; breaks: Break[]; breaks_file: string; most_breaks: number;
  owners: string[]; typed: boolean; beside: string[];
  log: { version: number; step: string; by: string; ts_us: number; said: string; rows: Record<string, number> }[];
}

const MOST = 10;
const SAYS: Record<string, string> = { maker: "signed by its maker", release: "released by its checker", filed: "filed" };

export function reportLink(name: string, day: string, mode: string, text: string): HTMLElement {
  return el("a", { href: `#/report/${name}/${day}/${mode}` }, text);
}

function look(one: Standing): [string, string] {
  const words = one.state === "missing" ? "not made" : one.state;
  const wanted = one.state !== "released" && one.state !== "filed";
  return [one.late ? `${words}, late` : words, one.late && wanted ? "late" : one.late || wanted ? "wait" : "done"];
}

function grid(calendar: Calendar): HTMLElement {
  const days = [...new Set(calendar.standings.map((one) => one.day))];
  const at = new Map(calendar.standings.map((one) => [`${one.day} ${one.report}`, one]));
  const shown = calendar.reports.filter((report) => calendar.standings.some((one) => one.report === report.name));
  const rows = days.map((day): Cell[] => [rowHead(day), ...shown.map((report) => {
    const one = at.get(`${day} ${report.name}`);
    if (!one) return el("td", {});
    const [text, kind] = look(one);
    const cell = el("td", { class: kind, "data-report": report.name, title: `due ${one.due}` });
    cell.append(one.version || one.problem ? reportLink(one.report, day, calendar.mode, text) : text);
    if (one.errors) cell.append(el("span", { class: "late" }, ` ${counted(one.errors, "error")}`));
    return cell;
  })]);
  const whole = table("Days are UTC; a report is due on the working day after its last day",
    ["Day", ...shown.map((report) => report.name)], rows, "No report was ever made on this home.");
  whole.classList.add("calendar");
  return whole;
}

function todo(calendar: Calendar): HTMLElement {
  const next: Record<string, string> = { missing: "is to be made", made: "is to be signed by a maker", signed: "is to be released by another person" };
  const open = calendar.standings.filter((one) => one.problem || next[one.state] && (one.late || one.version))
    .sort((a, b) => Number(b.late) - Number(a.late) || a.due.localeCompare(b.due));
  const lines = open.slice(0, MOST).map((one) => el("li", {},
    one.version ? reportLink(one.report, one.day, calendar.mode, `${one.report} of ${one.day}`) : `${one.report} of ${one.day}`,
    ` ${one.problem || next[one.state]}, due ${one.due}`, one.late && el("b", { class: "late" }, " late")));
  if (open.length > MOST) lines.push(el("li", {}, `and ${open.length - MOST} more below`));
  return el("section", {}, el("h2", {}, "Wants somebody"),
    lines.length ? el("ul", { class: "todo" }, ...lines) : el("p", { class: "nothing" }, "Nothing in these days."));
}

export async function calendar(parameters: Record<string, string>): Promise<HTMLElement[]> {
  const got = await ask<Calendar>("calendar", parameters);
  const choice = el("select", {}, ...got.modes.map((mode) => {
    const option = el("option", { value: mode }, mode);
    option.selected = mode === got.mode;
    return option;
  }));
  const day = el("input", { type: "date", value: got.until, max: got.today });
  const go = () => (location.hash = `#/reports?mode=${choice.value}&until=${day.value}`);
  choice.onchange = day.onchange = go;
  const older = el("a", { href: `#/reports?mode=${got.mode}&until=${got.before}` }, "The month before");
  return [
    todo(got),
    el("section", {}, el("h2", {}, "Calendar"),
      el("div", { class: "row" }, el("label", {}, "World", choice), el("label", {}, "Until", day), older), grid(got)),
  ];
}

export function fileLink(report: Report, version: number, file: string): HTMLElement {
  const where = new URLSearchParams({ name: report.name, day: report.day, mode: report.mode, version: String(version), file });
  return el("a", { href: `/compliance/file?${where}`, download: "" }, file);
}

function signed(one: Signed | null): string {
  return one ? `${one.by}, ${time(one.ts_us)}${one.reason ? `: ${one.reason}` : ""}` : "";
}

function count(version: Version, file: string, report: Report): Cell {
  const file_facts = version.files[file];
  if (!file_facts) return "";
  const rows = file_facts.rows >= 0 ? `${counted(file_facts.rows, "row")} ` : "";
  const opens = file.endsWith(".csv") && el("a", { href: `#/table/${report.name}/${report.day}/${report.mode}/${version.version}/${file}` }, "show");
  return el("td", {}, rows, opens, opens && " ", fileLink(report, version.version, file));
}

function sideBySide(report: Report): HTMLElement {
  const versions = report.versions.slice(0, 6);
  const files = [...new Set(versions.flatMap((one) => Object.keys(one.files)))].sort();
  const line = (name: string, of: (one: Version) => Cell): Cell[] => [rowHead(name), ...versions.map(of)];
  const rows: Cell[][] = [
    line("Made (UTC)", (one) => time(one.made_us)),
    line("Breaks", (one) => Object.entries(one.breaks).map(([severity, many]) => `${many} ${severity}`).join(", ") || "none"),
    line("Maker", (one) => signed(one.maker)),
    line("Checker", (one) => signed(one.release)),
    ...(report.to ? [line("Filed", (one) => signed(one.filed))] : []),
    line("Against the one before", (one) => one.restated
      ? el("a", { href: `#/table/${report.name}/${report.day}/${report.mode}/${one.version}/restated.csv` }, `what it says otherwise than v${one.restates}`) : ""),
    ...files.map((file) => line(file, (one) => count(one, file, report))),
    line("Manifest", (one) => el("code", { title: one.sha256 }, `${one.sha256.slice(0, 16)}…`)),
  ];
  return table("Versions side by side, the newest first", ["", ...versions.map((one) => `Version ${one.version}`)], rows);
}

function work(one: Break): Cell {
  const cell = longText(one.resolution ? `${one.by}: ${one.resolution}` : "");
  if (one.notes.length) cell.append(el("details", {}, el("summary", {}, "What was done"), el("ol", { class: "notes" }, ...one.notes.map((note) => el("li", {}, note)))));
  return cell;
}

export async function report(name: string, day: string, mode: string, acts: (got: Report) => HTMLElement[], onBreak: (got: Report, one: Break) => HTMLElement[]): Promise<HTMLElement[]> {
  const got = await ask<Report>("report", { name, day, mode });
  const standing = got.standing;
  const breakRows = got.breaks.map((one): Cell[] => [
    el("td", {}, el("code", {}, one.id)),
    longText(Object.entries(one.row).filter(([key, value]) => value && key !== "owner" && key !== "report_date").map(([key, value]) => `${key} ${value}`).join(", ")),
    one.owner || el("span", { class: "wait" }, "nobody"),
    work(one),
    el("td", {}, ...onBreak(got, one)),
  ]);
  const log = got.log.map((one): Cell[] => [time(one.ts_us), String(one.version), SAYS[one.step] ?? one.step, one.by,
    longText(one.said), Object.entries(one.rows).map(([file, rows]) => `${counted(rows, "row")} in ${file}`).join(", ")]);
  return [
    el("section", {}, el("h2", {}, `${got.title}, ${got.day}`), el("p", { class: "note" }, got.subtitle),
      facts(["State", standing ? look(standing)[0] : "not of the calendar"], ["Due", standing?.due ?? ""], ["World", got.mode],
        ["Goes to", got.to || "nobody outside the house"], ["Layout", `${got.versions[0]!.layout}, a draft`],
        ["Issued empty", got.versions[0]!.empty ? "yes: nothing happened on this day" : ""]),
      got.beside.length > 0 && el("p", {}, "Of the same day, besides: ", ...got.beside.flatMap((name, number) =>
        [number ? ", " : "", reportLink(name, got.day, got.mode, name)])),
      got.changed.length > 0 && el("p", { class: "problem" }, `Changed on disk since it was made: ${got.changed.join(", ")}`),
      el("div", { class: "row" }, ...acts(got))),
    el("section", {}, el("h2", {}, "Breaks"), got.breaks.length >= got.most_breaks && el("p", { class: "note warn" }, `The first ${got.most_breaks}; all are in ${got.breaks_file}.`),
      table("What is not in order, who owns it, how it was resolved", ["Break", "What", "Owner", "Resolution", ""], breakRows, "No break.", true)),
    el("section", {}, el("h2", {}, "Versions"), sideBySide(got)),
    el("section", {}, el("h2", {}, "Log"), table("What people did with it (UTC)", ["When", "Version", "What", "Who", "Said", "Holds"], log, "Nobody signed it yet.", true),
      el("details", {}, el("summary", {}, "What it was made from"), facts(...Object.entries(got.inputs)))),
  ];
}

export async function rows(name: string, day: string, mode: string, version: string, file: string): Promise<HTMLElement[]> {
  const got = await ask<{ file: string; rows: Record<string, string>[]; more: boolean }>("table", { name, day, mode, version, file });
  const columns = Object.keys(got.rows[0] ?? {});
  const cell = (column: string, value: string): Cell => column === "order_id" && value
    ? el("a", { href: `#/decision/${encodeURIComponent(value)}` }, value) : value;
  return [el("section", {}, el("h2", {}, `${file}, version ${version}`),
    el("p", {}, reportLink(name, day, mode, `Back to ${name} of ${day}`)),
    got.more && el("p", { class: "note warn" }, `The first ${got.rows.length} rows; the file has more.`),
    table(file, columns, got.rows.map((row) => columns.map((column) => cell(column, row[column] ?? ""))), "No rows."))];
}
