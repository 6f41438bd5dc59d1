// A table with a caption and headings that say which column they head; wide ones scroll by themselves.

import { el } from "../dom";

export type Cell = HTMLTableCellElement | Node | string;

export function table(caption: string, heads: string[], rows: Cell[][], empty = "None."): HTMLElement {
  if (!rows.length) return el("p", { class: "nothing" }, empty);
  const head = el("tr", {}, ...heads.map((name) => el("th", { scope: "col" }, name)));
  const body = rows.map((cells) => el("tr", {}, ...cells.map((cell) =>
    cell instanceof HTMLTableCellElement ? cell : el("td", {}, cell))));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body)));
}

export function rowHead(text: Node | string): HTMLTableCellElement {
  return el("th", { scope: "row" }, text);
}

export function longText(text: string): HTMLTableCellElement {
  return el("td", { class: "text" }, text);
}

export function time(us: number): string {
  return us ? new Date(us / 1000).toISOString().slice(0, 19).replace("T", " ") : "";
}

export function facts(...pairs: [string, Node | string][]): HTMLElement {
  return el("dl", { class: "facts" }, ...pairs.filter(([, value]) => value !== "").map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}
