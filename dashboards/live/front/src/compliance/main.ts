// The page for compliance staff: a door, views by address, keys for each.

import { say } from "../controls";
import { byId, el } from "../dom";
import { signInForm, type Session } from "../sign_in";
import { ask, Refused, send, signedIn } from "./api";
import * as cases from "./cases";
import * as decisions from "./decisions";
import { breakActs, reportActs } from "./report_acts";
import * as reports from "./reports";

const VIEWS: [string, string][] = [["reports", "Reports"], ["cases", "Cases"], ["decisions", "Decisions"], ["audit", "Audit"]];
const IN: Record<string, string> = { report: "reports", table: "reports", case: "cases", decision: "decisions" };
const place = byId("place");
let who: Session | undefined;
let drawing = 0;

function door(problem = "", company = ""): void {
  drawing += 1; // what is under way would be drawn over the door
  who = undefined;
  signedIn(undefined);
  byId("views").hidden = byId("out").hidden = true;
  byId("who").textContent = "";
  place.replaceChildren(el("section", {}, signInForm("/compliance/api/sign-in", "For users of role compliance.", problem, company, enter)));
  place.querySelector("input")!.focus();
}

function enter(session: Session): void {
  who = session;
  signedIn(session);
  byId("views").hidden = byId("out").hidden = false;
  byId("who").textContent = session.name;
  void draw();
}

async function view(): Promise<HTMLElement[]> {
  const [path = "", query = ""] = location.hash.replace(/^#\//, "").split("?");
  const [name = "", ...rest] = path.split("/").map(decodeURIComponent);
  const parameters = Object.fromEntries(new URLSearchParams(query));
  const [a = "", b = "", c = "", d = "", e = ""] = rest;
  switch (name) {
    case "report": return reports.report(a, b, c, (got) => reportActs(got, who!.name, again), (got, one) => breakActs(got, one, again));
    case "table": return reports.rows(a, b, c, d, e);
    case "cases": return cases.list(parameters);
    case "case": return cases.one(a, b, c, again);
    case "decisions": return decisions.search(parameters);
    case "decision": return decisions.decision(a, b);
    case "audit": return decisions.audit();
    default: return reports.calendar(parameters);
  }
}

function again(): void {
  void draw();
}

async function draw(): Promise<void> {
  if (!who) return;
  const mine = ++drawing;
  const at = location.hash.replace(/^#\//, "").split(/[/?]/)[0] || "reports";
  byId("views").replaceChildren(...VIEWS.map(([name, text]) =>
    el("a", { href: `#/${name}`, ...(at === name || IN[at] === name ? { "aria-current": "page" } : {}) }, text)));
  let made: HTMLElement[];
  try {
    made = await view();
  } catch (error) {
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) return door(error.message, error.company);
    made = [el("section", {}, el("h2", {}, "No answer"), el("p", { class: "problem", role: "alert" }, String((error as Error).message)))];
  }
  if (mine === drawing) place.replaceChildren(...made);
}

document.addEventListener("keydown", (event) => {
  const typing = (event.target as HTMLElement).closest("input, textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  if (event.key === "/" && who) {
    event.preventDefault();
    location.hash = "#/decisions";
  }
  const wanted = VIEWS[Number(event.key) - 1];
  if (wanted && who) location.hash = `#/${wanted[0]}`;
});

byId("out").onclick = async () => {
  await send("sign-out", {}).catch(() => say("the page's server does not answer"));
  door();
};
byId("theme").onclick = () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("theme", document.documentElement.dataset.theme = dark ? "light" : "dark");
};
const kept = localStorage.getItem("theme");
if (kept) document.documentElement.dataset.theme = kept;
window.addEventListener("hashchange", () => { void draw().then(() => place.focus()); });
ask<Session>("session").then(enter, (error: Refused) => door(error.status === 401 ? "" : error.message, error.company));
