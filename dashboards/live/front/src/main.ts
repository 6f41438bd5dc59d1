// The live page: a store fed by a websocket, panels that draw what changed, keys for everything.

import { Chart } from "./chart";
import { controls } from "./controls";
import { byId } from "./dom";
import * as panels from "./panels";
import { Store, connect, type Quote } from "./store";

const store = new Store();
const chart = new Chart(byId("chart"), store);
const buttons = controls();
let feed = "";
let shown = false;

function choose(wanted: string): void {
  feed = wanted;
  localStorage.setItem("feed", feed);
  chart.show(feed);
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
  if (any("connection") && store.connected && feed) chart.show(feed);
  if (any("quote", "now", "prediction")) panels.tabs(store, feed, choose);
  if (feed) chart.update(changed);
  if (any("account", "day_open")) panels.headline(store);
  if (any("market") || !shown) panels.market(store);
  if (any("risk") || !shown) panels.risk(store);
  if (any("prediction", "now", "model") || !shown) panels.prediction(store, feed);
  if (any("position", "quote", "account") || !shown) panels.positions(store);
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
  chart.recolour();
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

byId("halt").onclick = buttons.halt;
byId("resume").onclick = buttons.resume;
byId("theme").onclick = turnTheme;
byId("keys").onclick = () => byId<HTMLDialogElement>("keys-dialog").showModal();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.recolour());
theme(localStorage.getItem("theme"));
setInterval(() => !store.connected && panels.links(store), 1000);
connect(store);
