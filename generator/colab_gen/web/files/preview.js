// The notebook as it will look in Colab, drawn from the cells that web/preview.py describes.

import { make } from "./dom.js";
import { highlight } from "./highlight.js";

const TAGS = new Set(
  "p em strong s code blockquote ul ol li table thead tbody tr th td hr br pre span a h1 h2 h3 h4 h5 h6"
    .split(" "),
);
const drawn = new Map(); // cell id -> what it was drawn from, and its element

export function drawHeading(answer, state) {
  document.getElementById("file").textContent = answer.name;
  document.getElementById("runtime").textContent =
    (state.accelerator || "CPU") + (state.high_ram ? " · High-RAM" : "");
}

// Draw the cells into the root; only those that changed are drawn anew. The first of these that
// belongs to the snippet `near`, where the user is at work, is brought into view.
export function drawCells(root, cells, near) {
  const first = drawn.size === 0;
  let target = null;
  const elements = cells.map((cell) => {
    const text = JSON.stringify(cell);
    const before = drawn.get(cell.id);
    if (before?.text === text) return before.element;
    const element = cell.kind === "markdown" ? drawMarkdown(cell) : drawCode(cell);
    if (before?.element.querySelector("details")) {
      element.querySelector("details").open = before.element.querySelector("details").open;
    }
    element.id = `cell-${cell.id}`;
    if (!first) element.classList.add("changed");
    if (cell.snippet === near && (!target || cell.kind === "code")) target = element;
    drawn.set(cell.id, { text, element });
    return element;
  });
  const kept = new Set(cells.map((cell) => cell.id));
  for (const id of drawn.keys()) if (!kept.has(id)) drawn.delete(id);
  place(root, elements);
  if (target && getComputedStyle(root).overflowY === "auto") bringIntoView(root, target);
}

// What stays where it is is left alone, since the browser would lay all of it out again.
function place(root, elements) {
  const wanted = new Set(elements);
  for (const child of [...root.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (root.children[index] !== element) root.insertBefore(element, root.children[index] ?? null);
  });
}

function bringIntoView(root, element) {
  const top = element.offsetTop - root.offsetTop;
  if (top < root.scrollTop || top > root.scrollTop + root.clientHeight - 120) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    root.scrollTo({ top: top - 16, behavior: still ? "auto" : "smooth" });
  }
}

function drawMarkdown(cell) {
  return make("div", { class: "cell prose" }, ...cell.tree.map(drawNode));
}

// A node is a text or [tag, attributes, ...children]; tags and attributes are ours to allow.
function drawNode(node) {
  if (typeof node === "string") return node;
  const [tag, { href, class: kind }, ...children] = node;
  const inside = children.map(drawNode);
  if (tag === "a") return make("a", linkTo(href), ...inside);
  return make(TAGS.has(tag) ? tag : "span", { class: kind }, ...inside);
}

function linkTo(href) {
  const anchor = /^#scrollTo=([\w-]+)$/.exec(href);
  if (anchor) return { href: `#cell-${anchor[1]}`, class: "inside" };
  if (!/^https?:\/\//i.test(href)) return {};
  return { href, rel: "noreferrer noopener", target: "_blank" };
}

function drawCode(cell) {
  const lines = cell.source.split("\n").length;
  const form = cell.title || cell.fields.length ? drawFormOf(cell) : null;
  const code = make("pre", { tabindex: "0", "aria-label": `Code of ${cell.title || cell.id}` });
  code.append(make("code", {}, ...highlight(cell.source)));
  const details = make(
    "details",
    { open: !cell.hidden },
    make("summary", {}, `Code, ${lines} ${lines === 1 ? "line" : "lines"}`),
    code,
  );
  const run = make("span", { class: "run", "aria-hidden": "true" });
  return make("div", { class: "cell code" }, run, make("div", {}, form, details));
}

function drawFormOf(cell) {
  const rows = cell.fields.map((field) =>
    make("div", {}, make("dt", {}, `${field.name}:`), make("dd", { class: field.kind }, ...drawValue(field))),
  );
  const title = cell.title ? make("p", { class: "title" }, cell.title) : null;
  return make("div", { class: "form" }, title, rows.length ? make("dl", {}, ...rows) : null);
}

function drawValue(field) {
  if (field.kind === "boolean") {
    return [make("span", { class: field.value ? "box on" : "box" }), field.value ? "yes" : "no"];
  }
  if (field.kind !== "slider") return [field.value];
  const { minimum, maximum, value } = field;
  const bar = { value: value - minimum, max: maximum - minimum, "aria-hidden": "true" };
  return [make("progress", bar), value];
}
