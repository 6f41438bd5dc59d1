// Questions in English or SQL: the statement, which one may change, what it gives, and a chart.

import { say } from "../controls";
import { byId, el } from "../dom";
import { companyOf, signInForm, type Session } from "../sign_in";
import { plot, type Chart } from "./plot";

interface Column { name: string; type: string }
interface Answer {
  sql: string; says: string; by: string; read: string[]; columns: Column[]; rows: unknown[][]; cut: boolean; chart: Chart | null;
}
interface Saved { id: string; name: string; question: string; sql: string; by: string }

const EXAMPLES = ["profit by symbol this week", "which hours cost us most in slippage on gold last month?", "top 5 worst trades today", "average spread by hour today"];
const NUMBER = /^(Nullable\()?(U?Int|Float|Decimal)/;
const place = byId("place");
let who: Session | undefined;
let kept: Saved[] = [];

async function call<T>(path: string, body?: object): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
  if (who?.proof) headers["X-Tickhouse-Proof"] = who.proof;
  let got: Response;
  try {
    got = await fetch(`/ask/api/${path}`, { credentials: "same-origin", ...(body ? { method: "POST", headers, body: JSON.stringify(body) } : {}) });
  } catch {
    throw new Error("the page's server does not answer");
  }
  const said = await got.json().catch(() => ({ error: `answer ${got.status}` })) as T & { error?: string };
  if (got.status === 401) door(path === "session" ? "" : said.error ?? "", companyOf(said));
  if (!got.ok) throw new Error(said.error ?? String(got.status));
  return said;
}

function door(problem: string, company: string): void {
  who = undefined;
  byId("out").hidden = true;
  byId("who").textContent = "";
  place.replaceChildren(el("section", {}, signInForm("/ask/api/sign-in", "For analysts, and who has more rights.", problem, company, enter)));
  place.querySelector("input")!.focus();
}

function enter(session: Session): void {
  who = session;
  byId("out").hidden = !session.proof;
  byId("who").textContent = session.proof ? session.name : "";
  draw();
  void list();
}

const question = el("input", { name: "question", maxlength: "500", placeholder: EXAMPLES[0]!, "aria-label": "Your question", autocomplete: "off" });
const sql = el("textarea", { "aria-label": "The statement", spellcheck: "false" });
const result = el("section", { "aria-live": "polite" });
const saved = el("ul", { class: "saved" });
const run = el("button", { type: "button" }, "Run");
const name = el("input", { name: "name", maxlength: "80", placeholder: "a name for it", "aria-label": "Name under which to save", autocomplete: "off" });
const keep = el("button", { type: "submit" }, "Save");
const keeping = el("form", { class: "keep" }, name, keep);
let asked = "";

async function show(ask: () => Promise<Answer>): Promise<void> {
  result.replaceChildren(el("p", { class: "note" }, "…"));
  let answer: Answer;
  try {
    answer = await ask();
  } catch (error) {
    result.replaceChildren(el("p", { class: "problem", role: "alert" }, String((error as Error).message)));
    return;
  }
  sql.value = answer.sql;
  result.replaceChildren(...drawn(answer));
}

function drawn(answer: Answer): HTMLElement[] {
  const from = answer.read.length ? `Rows of ${answer.read.join(", ")}.` : "";
  const parts: HTMLElement[] = [];
  if (answer.says) parts.push(el("p", { class: "says" }, answer.says));
  if (answer.by) parts.push(el("p", { class: "says" }, `The statement is by ${answer.by}, and nobody has checked it: read it before you believe the figures.`));
  const chart = answer.chart && answer.rows.length > 1 ? plot(answer.chart) : undefined;
  if (chart) {
    const figure = el("figure", {});
    figure.append(chart.drawn);
    if (chart.legend.length) figure.append(el("figcaption", { class: "legend" }, ...chart.legend.map(([name, colour]) => {
      const mark = el("i", {});
      mark.style.background = colour;
      return el("span", {}, mark, name);
    })));
    parts.push(figure);
  }
  parts.push(table(answer), el("p", { class: "note" }, `${from} ${answer.rows.length} row${answer.rows.length === 1 ? "" : "s"}${answer.cut ? ", and there are more" : ""}. Times are UTC.`));
  if (chart) {
    const link = el("a", { href: URL.createObjectURL(new Blob([JSON.stringify(answer.chart, null, 1)], { type: "application/json" })), download: "chart.vl.json" }, "The chart as Vega-Lite");
    parts.push(el("p", {}, link));
  }
  return parts;
}

function table(answer: Answer): HTMLElement {
  if (!answer.rows.length) return el("p", { class: "nothing" }, "No rows.");
  const numeric = answer.columns.map((column) => NUMBER.test(column.type));
  const head = el("tr", {}, ...answer.columns.map((column) => el("th", { scope: "col" }, column.name, el("small", {}, column.type))));
  const body = answer.rows.map((row) => el("tr", {}, ...row.map((value, at) =>
    el("td", value === null ? { class: "null" } : numeric[at] ? { class: "number" } : {}, text(value)))));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "What it gives" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}

function text(value: unknown): string {
  if (value === null) return "none";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(10)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

async function list(): Promise<void> {
  kept = await call<Saved[]>("saved").catch(() => []);
  saved.replaceChildren(...kept.map((one) => {
    const open = el("button", { type: "button", title: `${one.question || one.sql}\nby ${one.by}` }, one.name);
    open.onclick = () => {
      question.value = asked = one.question;
      sql.value = one.sql;
      void show(() => call<Answer>("run", { sql: one.sql }));
    };
    const mine = !who?.proof || one.by === who.name || who.role === "admin";
    const remove = mine && el("button", { type: "button", "aria-label": `Remove ${one.name}`, title: "Remove" }, "×");
    if (remove) remove.onclick = () => void call("remove", { id: one.id }).then(list, told);
    return el("li", {}, open, remove);
  }));
}

function told(error: Error): void {
  say(error.message);
}

run.onclick = () => void show(() => call<Answer>("run", { sql: sql.value }));
keeping.onsubmit = (event) => {
  event.preventDefault();
  const body = { name: name.value.trim() || asked.slice(0, 80), question: asked, sql: sql.value };
  void call("save", body).then(() => { say(`Saved: ${body.name}`); name.value = ""; return list(); }, told);
};
sql.onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run.click();
};

function draw(): void {
  const form = el("form", { class: "question" }, question, el("button", { class: "go", type: "submit" }, "Ask"));
  form.onsubmit = (event) => {
    event.preventDefault();
    asked = question.value.trim() || EXAMPLES[0]!;
    question.value = asked;
    void show(() => call<Answer>("answer", { question: asked }));
  };
  const examples = el("p", { class: "note" }, "For example: ");
  EXAMPLES.forEach((one, number) => {
    const link = el("a", { href: "#" }, one);
    link.onclick = (event) => {
      event.preventDefault();
      question.value = one;
      form.requestSubmit();
    };
    examples.append(number ? " · " : "", link);
  });
  place.replaceChildren(
    el("section", {}, form, examples, saved),
    el("section", {}, el("h2", {}, "Statement"), sql, el("div", { class: "row" }, run, keeping, el("small", {}, "Ctrl-Enter runs it, with the rights of an analyst: it reads and changes nothing."))),
    result);
  question.focus();
}

byId("out").onclick = async () => {
  await fetch("/api/sign-out", { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: "{}" }).catch(() => say("the page's server does not answer"));
  location.reload();
};
byId("theme").onclick = () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("theme", document.documentElement.dataset.theme = dark ? "light" : "dark");
};
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
call<Session>("session").then(enter, (error: Error) => { if (!place.childElementCount) place.replaceChildren(el("section", {}, el("p", { class: "problem", role: "alert" }, error.message))); });
