// The live page: a store fed by a websocket, panels that draw what changed, keys for everything.

import { alerts, answering } from "./alerts";
import { Chart } from "./chart";
import { SPANS } from "./candles";
import { Curve } from "./curve";
import * as desk from "./desk";
import { controls } from "./controls";
import * as firm from "./firm";
import { byId, el } from "./dom";
import * as panels from "./panels";
import { RiskTab } from "./risk";
import { Store, connect, type Quote } from "./store";

const store = new Store();
const chart = new Chart(byId("chart"), store, SPANS);
const curve = new Curve(byId("curve"), store);
const buttons = controls();
const risk = new RiskTab(byId("risk"), byId("risk-tab"));
const answer = answering(store);
let feed = "";
let shown = false;
let span = Number(localStorage.getItem("span") ?? 60);
if (!SPANS.some(([seconds]) => seconds === span)) span = 60;
let studied = localStorage.getItem("study") === "on";

function choose(wanted: string): void {
  feed = wanted;
  localStorage.setItem("feed", feed);
  chart.show(feed, span);
  panels.prediction(store, feed);
  panels.tabs(store, feed, choose);
}

function feeds(): string[] {
  return [...store.all<Quote>("quote").keys()].sort();
}

store.listen((changed) => {
  const any = (...kinds: string[]) => kinds.some((kind) => changed.has(kind));
  if (!feed || !store.all("quote").has(feed)) {
    const kept = localStorage.getItem("feed") ?? "";
    const first = feeds().includes(kept) ? kept : feeds()[0];
    if (first) choose(first);
  }
  if (any("connection") && store.connected && feed) chart.show(feed, span);
  if (any("quote", "now", "prediction")) panels.tabs(store, feed, choose);
  if (feed) chart.update(changed);
  if (any("account", "day_open")) panels.headline(store);
  if (any("equity")) curve.update();
  if (any("now", "connection") || !shown) desk.markets(store, choose); // twice a second is enough to read
  if (any("now", "position") || !shown) desk.exposure(store);
  if (any("event")) desk.heard(store, changed.get("event")!);
  if (any("market") || !shown) panels.market(store);
  if (any("alert", "alerts", "silence", "now")) alerts(store, answer);
  if (any("risk") || !shown) panels.risk(store);
  if (any("prediction", "now", "model") || !shown) panels.prediction(store, feed);
  if (any("position", "quote", "account") || !shown) panels.positions(store);
  if (any("firm", "account")) firm.firm(store);
  if (any("calendar", "now")) firm.calendar(store);
  if (any("order") || !shown) panels.orders(store);
  if (any("denial", "denied") || !shown) panels.denials(store);
  if (any("fill") || !shown) panels.fills(store);
  if (any("latency") || !shown) panels.latency(store);
  if (any("process", "now") || !shown) panels.processes(store);
  if (any("link", "now", "connection", "quote")) panels.links(store);
  if (any("event") || !shown) panels.log(store);
  shown = true;
});

function theme(wanted: string | null): void {
  if (wanted) document.documentElement.dataset.theme = wanted;
  else delete document.documentElement.dataset.theme;
  recolour();
}

function recolour(): void {
  chart.recolour();
  curve.recolour();
}

function turnTheme(): void {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("theme", dark ? "light" : "dark");
  theme(localStorage.getItem("theme"));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const keys: Record<string, () => void> = {
    h: buttons.halt,
    r: () => !byId("resume").hidden && buttons.resume(),
    t: turnTheme,
    "?": () => byId<HTMLDialogElement>("keys-dialog").showModal(),
    "[": () => step(-1),
    "]": () => step(1),
    "-": () => zoom(1),
    "+": () => zoom(-1),
    i: study,
    s: sound,
    a: () => answer(),
    v: () => risk.turn(),
  };
  const number = Number(event.key);
  if (number >= 1 && number <= 9) {
    const wanted = feeds()[number - 1];
    if (wanted) choose(wanted);
  } else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]!();
  }
});

function step(by: number): void {
  const all = feeds();
  if (all.length) choose(all[(all.indexOf(feed) + by + all.length) % all.length]!);
}

function turn(seconds: number): void {
  span = seconds;
  localStorage.setItem("span", String(span));
  for (const button of byId("spans").children) button.setAttribute("aria-pressed", String((button as HTMLElement).dataset.span === String(span)));
  if (feed) chart.show(feed, span);
}

function zoom(by: number): void {
  const at = SPANS.findIndex(([seconds]) => seconds === span) + by;
  if (SPANS[at]) turn(SPANS[at][0]);
}

function study(): void {
  studied = !studied;
  localStorage.setItem("study", studied ? "on" : "off");
  byId("study").setAttribute("aria-pressed", String(studied));
  chart.study(studied);
}

function sound(): void {
  byId("sound").setAttribute("aria-pressed", String(desk.sound()));
}

byId("spans").replaceChildren(...SPANS.map(([seconds, name]) => {
  const button = el("button", { type: "button" }, name);
  button.dataset.span = String(seconds);
  button.onclick = () => turn(seconds);
  return button;
}));
turn(span);
if (studied) {
  studied = false;
  study();
}
byId("study").onclick = study;
byId("sound").onclick = sound;
byId("risk-tab").onclick = () => risk.turn();
byId("halt").onclick = buttons.halt;
byId("resume").onclick = buttons.resume;
byId("theme").onclick = turnTheme;
byId("keys").onclick = () => byId<HTMLDialogElement>("keys-dialog").showModal();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => recolour());
theme(localStorage.getItem("theme"));
setInterval(() => !store.connected && panels.links(store), 1000);
connect(store);
